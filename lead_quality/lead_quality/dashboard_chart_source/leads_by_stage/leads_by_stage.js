frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Leads by Stage"] = {
	method: "lead_quality.lead_quality.dashboard_chart_source.leads_by_stage.leads_by_stage.get",
	filters: [],
};
