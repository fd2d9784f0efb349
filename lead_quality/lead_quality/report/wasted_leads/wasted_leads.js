{
	const { as_of, formatter, journey_filters } = lead_quality.report;

	frappe.query_reports["Wasted Leads"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 6,
			groups: ["Month", "Source", "Owner", "Age"],
			more: [as_of()],
			counts: [
				["wasted", __("Wasted")],
				["leads", __("Leads")],
				["since_entry", __("Since They Came In")],
				["since_acceptance", __("Since Sales Accepted")],
				["young", __("Too Young to Tell")],
			],
		}),
		formatter: formatter(),
	};
}
