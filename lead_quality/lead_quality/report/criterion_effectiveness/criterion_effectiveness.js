{
	// a share, and the numbers of cases that it is taken of
	const cases = {
		met_percent: ["answered"],
		declined_met_percent: ["handed_met"],
		declined_missing_percent: ["handed_missing"],
		difference: ["handed_met", "handed_missing"],
	};

	frappe.query_reports["Criterion Effectiveness"] = {
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
				label: __("Qualified from"),
				fieldtype: "Date",
				default: frappe.datetime.add_months(frappe.datetime.get_today(), -12),
			},
			{
				fieldname: "to_date",
				label: __("Qualified until"),
				fieldtype: "Date",
				default: frappe.datetime.get_today(),
			},
			{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
			{ fieldname: "minimum", label: __("Grey Below (Cases)"), fieldtype: "Int", default: 10 },
		],
		formatter(value, row, column, data, default_formatter) {
			if (value === null || value === undefined) return "–";
			const text = default_formatter(value, row, column, data);
			const minimum = frappe.query_report.get_filter_value("minimum") || 0;
			const is_small = (cases[column.fieldname] || []).some((base) => data && data[base] < minimum);
			if (is_small) return `<span class="text-muted" title="${__("Few cases")}">${text}</span>`;
			return column.fieldname === "difference" ? `<b>${text}</b>` : text;
		},
	};
}
