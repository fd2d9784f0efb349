frappe.query_reports["Lead Source Quality"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("Came in from"),
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -12),
		},
		{
			fieldname: "to_date",
			label: __("Came in until"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
		},
		{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
		{ fieldname: "segment", label: __("Segment"), fieldtype: "Link", options: "Lead Segment" },
		{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
		{ fieldname: "without_source", label: __("Without Source"), fieldtype: "Check", default: 0 },
		{
			fieldname: "show",
			label: __("Show"),
			fieldtype: "Select",
			options: [
				{ value: "Sources", label: __("Sources") },
				{ value: "Leads", label: __("Leads") },
			],
			default: "Sources",
		},
		{
			fieldname: "count",
			label: __("Leads Counted As"),
			fieldtype: "Select",
			depends_on: "eval:doc.show === 'Leads'",
			options: [
				{ value: "leads", label: __("Leads") },
				{ value: "not_buyers", label: __("Not Buyers") },
				{ value: "bad_data", label: __("Bad Data") },
				{ value: "buyers", label: __("Buyers") },
				{ value: "qualified", label: __("Qualified") },
				{ value: "handed_over", label: __("Handed Over") },
				{ value: "accepted", label: __("Accepted") },
				{ value: "declined", label: __("Declined") },
			],
			default: "leads",
		},
	],
	formatter(value, row, column, data, default_formatter) {
		if (value === null || value === undefined) return "–";
		const text = default_formatter(value, row, column, data);
		const link = data?.links?.[column.fieldname];
		return link && value ? `<a href="${link}">${text}</a>` : text;
	},
};
