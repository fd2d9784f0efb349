frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Wasted by Month"] = {
	method: "lead_quality.lead_quality.dashboard_chart_source.wasted_by_month.wasted_by_month.get",
	filters: [],
};
