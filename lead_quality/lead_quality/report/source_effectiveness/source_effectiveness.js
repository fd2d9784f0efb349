{
	const { as_of, formatter, in_red, journey_filters, minimum } = lead_quality.report;
	// a figure, and the number of cases that it is taken of
	const cases = {
		not_buyers_percent: ["leads"],
		bad_data_percent: ["leads"],
		wasted_percent: ["leads"],
		qualified_percent: ["buyers"],
		declined_percent: ["handed_over"],
		acceptance_percent: ["handed_over"],
		won_percent: ["buyers"],
		median_days: ["won"],
		cost_per_lead: ["leads"],
		cost_per_qualified: ["qualified"],
		cost_per_accepted: ["accepted"],
		cost_per_won: ["won"],
	};
	const show_cell = formatter(cases);

	frappe.query_reports["Source Effectiveness"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 12,
			groups: ["Source", "Campaign", "Segment", "Month"],
			narrowed_by: ["company", "segment", "source", "campaign"],
			more: [
				as_of(),
				minimum(),
				{
					fieldname: "cries_wolf_from",
					label: __("Cries Wolf From (% Declined)"),
					fieldtype: "Int",
					default: 30,
				},
			],
			counts: [
				["leads", __("Leads")],
				["not_buyers", __("Non-Buyers")],
				["bad_data", __("Bad Data")],
				["wasted", __("Wasted")],
				["buyers", __("Buyers")],
				["qualified", __("Qualified")],
				["handed_over", __("Handed Over")],
				["declined", __("Declined")],
				["accepted", __("Accepted")],
				["opportunities", __("Opportunities")],
				["won", __("Won")],
			],
		}),
		formatter: (value, row, column, data, default_formatter) => {
			const cell = show_cell(value, row, column, data, default_formatter);
			const is_wolf = data?.cries_wolf && ["declined_percent", "mark"].includes(column.fieldname);
			return is_wolf ? in_red(cell) : cell;
		},
	};
}
