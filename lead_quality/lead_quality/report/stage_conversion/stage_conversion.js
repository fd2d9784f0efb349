{
	const { check, formatter, in_bold, in_red, link, period, select } = lead_quality.report;
	const cell = formatter();

	frappe.query_reports["Stage Conversion"] = {
		onload: lead_quality.report.export_all,
		filters: [
			...period(__("Came in from"), __("Came in until"), 6),
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			check("without_source", __("Without Source")),
			link("segment", __("Segment"), "Lead Segment"),
			link("owner", __("Owner at Entry"), "User"),
			select("show", __("Show"), [
				["Steps", __("Steps")],
				["Leads", __("Leads")],
			]),
			check("include_non_buyers", __("Include Non-Buyers")),
		],
		formatter(value, row, column, data, default_formatter) {
			const text = cell(value, row, column, data, default_formatter);
			const is_leak = data?.is_leak && column.fieldname === "from_previous";
			return is_leak ? in_red(in_bold(text)) : text;
		},
	};
}
