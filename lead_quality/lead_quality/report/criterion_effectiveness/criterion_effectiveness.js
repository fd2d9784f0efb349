{
	const { checklist, formatter, in_bold, is_small, link, minimum, period } = lead_quality.report;
	// a share, and the numbers of cases that it is taken of
	const cases = {
		met_percent: ["answered"],
		declined_met_percent: ["handed_met"],
		declined_missing_percent: ["handed_missing"],
		difference: ["handed_met", "handed_missing"],
	};
	const cell = formatter(cases);

	frappe.query_reports["Criterion Effectiveness"] = {
		get_chart_data: lead_quality.report.chart,
		filters: [
			checklist(),
			...period(__("Qualified from"), __("Qualified until"), 12),
			link("company", __("Company"), "Company"),
			minimum(),
		],
		formatter(value, row, column, data, default_formatter) {
			const text = cell(value, row, column, data, default_formatter);
			const is_bold = column.fieldname === "difference" && !is_small(column, data, cases);
			return is_bold ? in_bold(text) : text;
		},
	};
}
