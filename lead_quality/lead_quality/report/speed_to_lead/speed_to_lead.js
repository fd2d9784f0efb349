{
	const { check, formatter, in_bold, link, minimum, period, select, source } = lead_quality.report;
	// a figure, and the number of cases that it is taken of
	const cases = {
		share: ["total"],
		cumulative_share: ["total"],
		sales_ready_percent: ["leads"],
		median_hours: ["touched"],
		percentile_hours: ["touched"],
		routing_hours: ["touched"],
		rep_hours: ["touched"],
	};
	const depends_on = "eval:doc.show === 'Leads'";
	const cell = formatter(cases);

	frappe.query_reports["Speed to Lead"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			...period(__("Came in from"), __("Came in until"), 3),
			select("time", __("Time"), [
				["Working", __("Working")],
				["Raw", __("Raw")],
			]),
			select("group_by", __("Group By"), [
				["", ""],
				["Source", __("Source")],
				["Segment", __("Segment")],
			]),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			source(),
			check("without_source", __("Without Source")),
			minimum(),
			select("show", __("Show"), [
				["Distribution", __("Distribution")],
				["Leads", __("Leads")],
			]),
			select(
				"bucket",
				__("First Touch After"),
				[
					["all", __("All")],
					["5m", __("Up to 5 Minutes")],
					["1h", __("Up to 1 Hour")],
					["4h", __("Up to 4 Hours")],
					["24h", __("Up to 24 Hours")],
					["72h", __("Up to 72 Hours")],
					["later", __("Later")],
					["never", __("Never")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
			check("sales_ready", __("Only Sales Ready"), { depends_on }),
		],
		formatter(value, row, column, data, default_formatter) {
			const is_label = column.fieldname === "label";
			if (is_label && (value === null || value === undefined)) return "";
			const text = cell(value, row, column, data, default_formatter);
			return is_label && data?.indent === 0 ? in_bold(text) : text;
		},
	};
}
