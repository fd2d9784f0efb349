// What the reports' filters and cells have in common. Each report includes it into its own script.

frappe.provide("lead_quality.report");

Object.assign(lead_quality.report, {
	// two days, both included; by default from so many months ago until today
	period: (from_label, to_label, months) => [
		{
			fieldname: "from_date",
			label: from_label,
			fieldtype: "Date",
			default: frappe.datetime.add_months(frappe.datetime.get_today(), -months),
		},
		{ fieldname: "to_date", label: to_label, fieldtype: "Date", default: frappe.datetime.get_today() },
	],

	// choices: the value and its label, the first one chosen to begin with
	select: (fieldname, label, choices, more = {}) => ({
		fieldname,
		label,
		fieldtype: "Select",
		options: choices.map(([value, label]) => ({ value, label })),
		default: choices[0][0],
		...more,
	}),

	link: (fieldname, label, options) => ({ fieldname, label, fieldtype: "Link", options }),

	check: (fieldname, label, more = {}) => ({ fieldname, label, fieldtype: "Check", default: 0, ...more }),

	checklist: () => ({
		...lead_quality.report.link("checklist", __("Checklist"), "Qualification Checklist"),
		description: __("Empty: the active one that judges most leads"),
	}),

	minimum: () => ({ fieldname: "minimum", label: __("Grey Below (Cases)"), fieldtype: "Int", default: 10 }),

	// whether the figure of a column is taken of few cases; cases: a column to those that count them
	is_small(column, data, cases) {
		const bases = cases[column.fieldname];
		const minimum = bases && frappe.query_report.get_filter_value("minimum");
		return Boolean(minimum) && bases.some((base) => data?.[base] < minimum);
	},

	// How a report shows its cells: a dash for nothing, a link from a count to its rows, grey for a figure of few cases.
	formatter:
		(cases = {}) =>
		(value, row, column, data, default_formatter) => {
			if (value === null || value === undefined || value === "") return "–";
			const text = default_formatter(value, row, column, data);
			const link = data?.links?.[column.fieldname];
			// as the browser opens a link: v15's desk does nothing with one to the report that is open
			if (link && value) return `<a href="${link}" onclick="return true">${text}</a>`;
			const is_small = lead_quality.report.is_small(column, data, cases);
			return is_small ? `<span class="text-muted" title="${__("Few cases")}">${text}</span>` : text;
		},
});
