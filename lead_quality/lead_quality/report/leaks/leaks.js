{
	const { as_of, formatter, journey_filters, link, select, steps } = lead_quality.report;

	frappe.query_reports["Leaks"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 6,
			narrowed_by: ["company", "segment", "source", "campaign", "territory", "owner"],
			as_at: true,
			non_buyers: true,
			more: [as_of()],
			shows: ["Steps", __("Steps")],
			counts: [
				["lost", __("Lost Before")],
				["leads", __("Leads")],
				["reached", __("Reached It")],
				["open", __("Still Open")],
				["young", __("Too Young to Tell")],
				["won", __("Won With a Value")],
			],
			of_list: [
				// a lead has come in, so it is not lost before its first step
				select("step", __("Step"), steps().slice(1)),
				link("target", __("Funnel Target"), "Funnel Target"),
			],
		}),
		formatter: formatter(),
	};
}
