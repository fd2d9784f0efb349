{
	const { formatter, link, period } = lead_quality.report;
	const cell = formatter();

	frappe.query_reports["Gate Overrides"] = {
		get_chart_data: lead_quality.report.chart,
		filters: [
			...period(__("Overridden from"), __("Overridden until"), 12),
			link("user", __("User"), "User"),
		],
		formatter(value, row, column, data, default_formatter) {
			// the total row has no reason and no instant, and needs no dash for them; Frappe gives it its title
			const is_total = !data?.links && (value === null || value === undefined);
			if (is_total) return default_formatter(value, row, column, data);
			return cell(value, row, column, data, default_formatter);
		},
	};
}
