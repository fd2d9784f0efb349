frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Funnel of Three Months"] = {
	method: "lead_quality.lead_quality.dashboard_chart_source.funnel_of_three_months.funnel_of_three_months.get",
	filters: [],
};
