{
	// a figure, and the number of cases that it is taken of
	const cases = {
		share: "total",
		cumulative_share: "total",
		sales_ready_percent: "leads",
		median_hours: "touched",
		percentile_hours: "touched",
	};
	const in_leads = "eval:doc.show === 'Leads'";

	frappe.query_reports["Speed to Lead"] = {
		filters: [
			{
				fieldname: "from_date",
				label: __("Came in from"),
				fieldtype: "Date",
				default: frappe.datetime.add_months(frappe.datetime.get_today(), -3),
			},
			{
				fieldname: "to_date",
				label: __("Came in until"),
				fieldtype: "Date",
				default: frappe.datetime.get_today(),
			},
			{
				fieldname: "time",
				label: __("Time"),
				fieldtype: "Select",
				options: [
					{ value: "Working", label: __("Working") },
					{ value: "Raw", label: __("Raw") },
				],
				default: "Working",
			},
			{
				fieldname: "group_by",
				label: __("Group By"),
				fieldtype: "Select",
				options: [
					{ value: "", label: "" },
					{ value: "Source", label: __("Source") },
					{ value: "Segment", label: __("Segment") },
				],
			},
			{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
			{ fieldname: "segment", label: __("Segment"), fieldtype: "Link", options: "Lead Segment" },
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			{ fieldname: "minimum", label: __("Grey Below (Cases)"), fieldtype: "Int", default: 10 },
			{
				fieldname: "show",
				label: __("Show"),
				fieldtype: "Select",
				options: [
					{ value: "Distribution", label: __("Distribution") },
					{ value: "Leads", label: __("Leads") },
				],
				default: "Distribution",
			},
			{
				fieldname: "bucket",
				label: __("First Touch After"),
				fieldtype: "Select",
				depends_on: in_leads,
				options: [
					{ value: "all", label: __("All") },
					{ value: "5m", label: __("Up to 5 Minutes") },
					{ value: "1h", label: __("Up to 1 Hour") },
					{ value: "4h", label: __("Up to 4 Hours") },
					{ value: "24h", label: __("Up to 24 Hours") },
					{ value: "72h", label: __("Up to 72 Hours") },
					{ value: "later", label: __("Later") },
					{ value: "never", label: __("Never") },
				],
				default: "all",
			},
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on: in_leads },
			{
				fieldname: "without_group",
				label: __("Without Group"),
				fieldtype: "Check",
				default: 0,
				depends_on: in_leads,
			},
			{
				fieldname: "sales_ready",
				label: __("Only Sales Ready"),
				fieldtype: "Check",
				default: 0,
				depends_on: in_leads,
			},
		],
		formatter(value, row, column, data, default_formatter) {
			if (value === null || value === undefined) return column.fieldname === "label" ? "" : "–";
			const text = default_formatter(value, row, column, data);
			const link = data?.links?.[column.fieldname];
			if (link && value) return `<a href="${link}">${text}</a>`;
			if (column.fieldname === "label" && data?.indent === 0) return `<b>${text}</b>`;
			const minimum = frappe.query_report.get_filter_value("minimum") || 0;
			if (data?.links && data[cases[column.fieldname]] < minimum) {
				return `<span class="text-muted" title="${__("Few cases")}">${text}</span>`;
			}
			return text;
		},
	};
}
