frappe.query_reports["Attributes Held"] = {
	filters: [
		{
			fieldname: "checklist",
			label: __("Checklist"),
			fieldtype: "Link",
			options: "Qualification Checklist",
			description: __("Empty: the active one that judges most leads"),
		},
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
		{
			fieldname: "include_unasked",
			label: __("Include Leads Nobody Has Asked"),
			fieldtype: "Check",
			default: 1,
		},
	],
	formatter(value, row, column, data, default_formatter) {
		if (value === null || value === undefined) return "–";
		return default_formatter(value, row, column, data);
	},
};
