// What the reports' filters and cells have in common.

import { RISK } from "../engine/colours.js";
import { escape_tags, html, trusted } from "../engine/markup.js";

// columns that Frappe shows as they come: what is in them is text, whatever it looks like
const TEXT = ["Data", "Small Text", "Text", "Select", "Autocomplete"];

// Two days, both included; by default from so many months ago until today.
export const period = (from_label, to_label, months) => [
	{
		fieldname: "from_date",
		label: from_label,
		fieldtype: "Date",
		default: frappe.datetime.add_months(frappe.datetime.get_today(), -months),
	},
	{ fieldname: "to_date", label: to_label, fieldtype: "Date", default: frappe.datetime.get_today() },
];

// `choices`: the value and its label, the first one chosen to begin with.
export const select = (fieldname, label, choices, more = {}) => ({
	fieldname,
	label,
	fieldtype: "Select",
	options: choices.map(([value, label]) => ({ value, label })),
	default: choices[0][0],
	...more,
});

export const link = (fieldname, label, options) => ({ fieldname, label, fieldtype: "Link", options });

export const check = (fieldname, label, more = {}) => ({
	fieldname,
	label,
	fieldtype: "Check",
	default: 0,
	...more,
});

export const checklist = () => ({
	...link("checklist", __("Checklist"), "Qualification Checklist"),
	description: __("Empty: the active one that judges most leads"),
});

// `onload` of a report that has a list: all its rows, also those that are not shown, go to a file.
export function export_all(report) {
	report.page.add_inner_button(__("Export All Rows"), () =>
		frappe.call({
			method: "lead_quality.base.report.export_all_rows",
			args: { report: report.report_name, filters: report.get_filter_values() },
		}),
	);
}

export const minimum = () => ({
	fieldname: "minimum",
	label: __("Too Few to Judge Below"),
	fieldtype: "Int",
	default: 10,
});

// Whether the figure of a column is taken of few cases; `cases`: a column to those that count them.
export function is_small(column, data, cases) {
	const bases = cases[column.fieldname];
	const minimum = bases && frappe.query_report.get_filter_value("minimum");
	return Boolean(minimum) && bases.some((base) => data?.[base] < minimum);
}

// Sales users may not open a User: its name is text to them, no link to a refusal. The desk says that they may read one,
// since they may choose it.
const can_open = ({ fieldtype, options }) =>
	fieldtype !== "Link" || frappe.model[options === "User" ? "can_write" : "can_read"](options);

// How a report shows its cells: a dash for nothing, a link from a count to its rows, grey for a figure of few cases.
export const formatter =
	(cases = {}) =>
	(value, row, column, data, default_formatter) => {
		if (value === null || value === undefined || value === "") return "–";
		const type = can_open(column) ? column.fieldtype || "Data" : "Data";
		const is_text = typeof value === "string" && TEXT.includes(type);
		const text = trusted(
			default_formatter(
				is_text ? escape_tags(value) : value,
				row,
				{ ...column, fieldtype: type },
				data,
			),
		);
		const link = data?.links?.[column.fieldname];
		// as the browser opens a link: v15's desk does nothing with one to the report that is open
		if (link && value) return String(html`<a href="${link}" onclick="return true">${text}</a>`);
		const few = is_small(column, data, cases);
		return String(few ? html`<span class="text-muted" title="${__("Few cases")}">${text}</span>` : text);
	};

export const in_bold = (cell) => String(html`<b>${trusted(cell)}</b>`);
export const in_red = (cell) => String(html`<span class="text-danger">${trusted(cell)}</span>`);

export const risk_pills = (risks) =>
	String(
		html`${risks.map(
			(risk) =>
				html`<span class="indicator-pill no-indicator-dot ${RISK[risk]} mr-1">${__(risk)}</span>`,
		)}`,
	);
