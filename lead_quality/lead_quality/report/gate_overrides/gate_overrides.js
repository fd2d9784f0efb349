frappe.query_reports["Gate Overrides"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("Overridden from"),
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -12),
		},
		{
			fieldname: "to_date",
			label: __("Overridden until"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
		},
		{ fieldname: "user", label: __("User"), fieldtype: "Link", options: "User" },
	],
	formatter(value, row, column, data, default_formatter) {
		const text = default_formatter(value, row, column, data);
		// the total row has no links
		const link = data?.links?.[column.fieldname];
		return link && value ? `<a href="${link}">${text}</a>` : text;
	},
};
