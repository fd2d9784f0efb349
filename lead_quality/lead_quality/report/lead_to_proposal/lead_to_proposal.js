{
	const { as_of, formatter, journey_filters, minimum } = lead_quality.report;
	const cases = {
		quoted_percent: ["leads"],
		opportunities_percent: ["opportunities"],
		called_percent: ["quoted"],
		median_days: ["quoted"],
		p90_days: ["quoted"],
	};

	frappe.query_reports["Lead to Proposal"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 6,
			groups: ["Month", "Source", "Segment", "Campaign", "Owner"],
			as_at: true,
			non_buyers: true,
			more: [as_of(), minimum()],
			counts: [
				["leads", __("Leads")],
				["opportunities", __("Opportunities")],
				["quoted", __("With a Quotation")],
				["quoted_opportunities", __("Opportunities with a Quotation")],
				["without", __("Opportunities Without")],
				["called", __("Called After It")],
				["not_called", __("Not Called")],
			],
		}),
		formatter: formatter(cases),
	};
}
