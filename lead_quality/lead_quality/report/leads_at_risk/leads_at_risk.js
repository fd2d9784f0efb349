{
	const { check, formatter, in_red, link, risk_pills, select } = lead_quality.report;
	const in_summary = "eval:doc.show === 'Summary'";
	const in_leads = "eval:doc.show !== 'Summary'";
	const cell = formatter();

	frappe.query_reports["Leads at Risk"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			select("show", __("Show"), [
				["Leads", __("Leads")],
				["Summary", __("Summary")],
			]),
			select(
				"fault",
				__("At Risk By"),
				[
					["", ""],
					["No Owner", __("No Owner")],
					["No Next Step", __("No Next Step")],
					["Stale", __("Stale")],
					["Shelf Life", __("Shelf Life")],
					["Clock Overdue", __("Clock Overdue")],
					["Hidden", __("Hidden")],
				],
				{ depends_on: in_leads },
			),
			select(
				"group_by",
				__("Group By"),
				[
					["Fault", __("Fault")],
					["Owner", __("Owner")],
					["Segment", __("Segment")],
				],
				{ depends_on: in_summary },
			),
			link("lead_owner", __("Owner"), "User"),
			link("segment", __("Segment"), "Lead Segment"),
			link("company", __("Company"), "Company"),
			check("without_owner", __("Without Owner"), { depends_on: in_leads }),
			check("without_segment", __("Without Segment"), { depends_on: in_leads }),
		],
		formatter(value, row, column, data, default_formatter) {
			if (column.fieldname === "faults" && data?.risks) return risk_pills(data.risks);
			const text = cell(value, row, column, data, default_formatter);
			const is_over =
				["stale_in", "shelf_life_in"].includes(column.fieldname) && value !== null && value <= 0;
			return is_over ? in_red(text) : text;
		},
	};
}
