{
	const { check, formatter, link, minimum, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";
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
		filters: [
			select("group_by", __("Group By"), [
				["Source", __("Source")],
				["Campaign", __("Campaign")],
				["Segment", __("Segment")],
				["Month", __("Month")],
			]),
			...period(__("Came in from"), __("Came in until"), 12),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			check("without_source", __("Without Source")),
			{ fieldname: "campaign", label: __("Campaign"), fieldtype: "Data" },
			minimum(),
			{
				fieldname: "cries_wolf_from",
				label: __("Cries Wolf From (% Declined)"),
				fieldtype: "Int",
				default: 30,
			},
			select("show", __("Show"), [
				["Groups", __("Groups")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["leads", __("Leads")],
					["not_buyers", __("Not Buyers")],
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
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: (value, row, column, data, default_formatter) => {
			const cell = show_cell(value, row, column, data, default_formatter);
			const is_wolf = data?.cries_wolf && ["declined_percent", "mark"].includes(column.fieldname);
			return is_wolf ? lead_quality.report.in_red(cell) : cell;
		},
	};
}
