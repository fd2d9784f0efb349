{
	const { as_of, formatter, journey_filters } = lead_quality.report;

	frappe.query_reports["Qualified Leads"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 3,
			groups: ["Month", "Source", "Segment", "Owner"],
			more: [as_of()],
			counts: [
				["qualified", __("Qualified")],
				["leads", __("Leads")],
				["pursued", __("Pursued")],
				["late", __("Pursued Too Late")],
				["open", __("Still Open")],
				["judged", __("In Pursued %")],
				["not_pursued", __("Not Pursued")],
				["closed", __("Closed Without")],
				["answered", __("With a First Response")],
			],
		}),
		formatter: formatter(),
	};
}
