frappe.query_reports["Stage Conversion"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("Came in from"),
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -6),
		},
		{
			fieldname: "to_date",
			label: __("Came in until"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
		},
		{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
		{ fieldname: "segment", label: __("Segment"), fieldtype: "Link", options: "Lead Segment" },
		{ fieldname: "owner", label: __("Owner at Entry"), fieldtype: "Link", options: "User" },
		{
			fieldname: "show",
			label: __("Show"),
			fieldtype: "Select",
			options: [
				{ value: "Steps", label: __("Steps") },
				{ value: "Leads", label: __("Leads") },
			],
			default: "Steps",
		},
		{ fieldname: "include_non_buyers", label: __("Include Non-Buyers"), fieldtype: "Check", default: 0 },
	],
	formatter(value, row, column, data, default_formatter) {
		const text = default_formatter(value, row, column, data);
		if (value === null || value === undefined) return "–";
		if (data?.is_leak && column.fieldname === "from_previous") {
			return `<span class="text-danger"><b>${text}</b></span>`;
		}
		return text;
	},
};
