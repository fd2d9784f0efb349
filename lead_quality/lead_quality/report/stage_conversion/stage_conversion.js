{
	const { as_of, check, formatter, in_bold, in_red, journey_filters, select, steps } = lead_quality.report;
	const cell = formatter();

	frappe.query_reports["Stage Conversion"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 6,
			groups: [
				"Stage",
				"Month",
				"Quarter",
				"Week",
				"Source",
				"Segment",
				"Campaign",
				"Territory",
				"Owner",
				"Company",
				"Definition",
			],
			narrowed_by: ["company", "segment", "source", "campaign", "territory", "owner", "checklist"],
			as_at: true,
			non_buyers: true,
			more: [
				{
					fieldname: "within_days",
					label: __("Within Days"),
					fieldtype: "Int",
					default: 0,
					description: __("Empty: reached ever"),
				},
				as_of(),
				check("all_steps", __("Also Sales Ready, Accepted, Quoted")),
				select("chart", __("Chart"), [
					["Steps", __("Bars by Step")],
					["Days", __("Curve over Days")],
				]),
			],
			shows: ["Steps", __("Steps")],
			counts: [
				["leads", __("All")],
				["reached", __("Reached")],
				["lost", __("Lost Here")],
				["open", __("Still Open Here")],
				["skipped", __("Skipped")],
				["in_period", __("Reached in This Period")],
				["sales_without_lead", __("Sales Without Lead")],
				["corrected", __("Corrected Since")],
			],
			of_list: [select("step", __("Step"), [["", ""], ...steps()])],
		}),
		formatter(value, row, column, data, default_formatter) {
			const text = cell(value, row, column, data, default_formatter);
			const is_leak = data?.is_leak && column.fieldname === "from_previous";
			return is_leak ? in_red(in_bold(text)) : text;
		},
	};
}
