{
	const { check, checklist, formatter, link, period } = lead_quality.report;

	frappe.query_reports["Attributes Held"] = {
		get_chart_data: lead_quality.report.chart,
		filters: [
			checklist(),
			...period(__("Came in from"), __("Came in until"), 12),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			check("include_unasked", __("Include Leads Not Asked Yet"), { default: 1 }),
		],
		formatter: formatter(),
	};
}
