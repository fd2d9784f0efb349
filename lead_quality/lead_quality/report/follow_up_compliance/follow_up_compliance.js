{
	// a figure, and the counts that it is taken of
	const cases = {
		met_percent: ["clocks"],
		median_hours: ["timed"],
		percentile_hours: ["timed"],
	};
	const in_clocks = "eval:doc.show === 'Clocks'";

	frappe.query_reports["Follow-up Compliance"] = {
		filters: [
			{
				fieldname: "group_by",
				label: __("Group By"),
				fieldtype: "Select",
				options: [
					{ value: "Rep", label: __("Rep") },
					{ value: "Team", label: __("Team") },
					{ value: "Segment", label: __("Segment") },
					{ value: "Clock", label: __("Clock") },
				],
				default: "Rep",
			},
			{
				fieldname: "from_date",
				label: __("Started from"),
				fieldtype: "Date",
				default: frappe.datetime.add_months(frappe.datetime.get_today(), -3),
			},
			{
				fieldname: "to_date",
				label: __("Started until"),
				fieldtype: "Date",
				default: frappe.datetime.get_today(),
			},
			{
				fieldname: "clock",
				label: __("Clock"),
				fieldtype: "Select",
				options: [
					{ value: "", label: "" },
					{ value: "Triage", label: __("Triage") },
					{ value: "First Response", label: __("First Response") },
					{ value: "Next Touch", label: __("Next Touch") },
					{ value: "Handover Acceptance", label: __("Handover Acceptance") },
					{ value: "First Touch After Acceptance", label: __("First Touch After Acceptance") },
				],
			},
			{ fieldname: "segment", label: __("Segment"), fieldtype: "Link", options: "Lead Segment" },
			{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
			{ fieldname: "user", label: __("Rep"), fieldtype: "Link", options: "User" },
			{ fieldname: "minimum", label: __("Grey Below (Cases)"), fieldtype: "Int", default: 10 },
			{
				fieldname: "show",
				label: __("Show"),
				fieldtype: "Select",
				options: [
					{ value: "Groups", label: __("Groups") },
					{ value: "Clocks", label: __("Clocks") },
				],
				default: "Groups",
			},
			{
				fieldname: "count",
				label: __("Clocks Counted As"),
				fieldtype: "Select",
				depends_on: in_clocks,
				options: [
					{ value: "", label: __("All") },
					{ value: "clocks", label: __("Met or Missed") },
					{ value: "met", label: __("Met") },
					{ value: "missed", label: __("Missed") },
					{ value: "never_touched", label: __("Never Touched") },
					{ value: "touched_late", label: __("Touched Late") },
					{ value: "open", label: __("Open in Time") },
					{ value: "cancelled", label: __("Cancelled") },
				],
			},
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on: in_clocks },
			{
				fieldname: "without_group",
				label: __("Without Group"),
				fieldtype: "Check",
				default: 0,
				depends_on: in_clocks,
			},
		],
		formatter(value, row, column, data, default_formatter) {
			if (value === null || value === undefined) return "–";
			const text = default_formatter(value, row, column, data);
			const link = data?.links?.[column.fieldname];
			if (link && value) return `<a href="${link}">${text}</a>`;
			const minimum = frappe.query_report.get_filter_value("minimum") || 0;
			const is_small = data?.links && (cases[column.fieldname] || []).some((base) => data[base] < minimum);
			return is_small ? `<span class="text-muted" title="${__("Few cases")}">${text}</span>` : text;
		},
	};
}
