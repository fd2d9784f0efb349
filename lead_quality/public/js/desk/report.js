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

// a text that is typed
const text = (fieldname, label, more = {}) => ({ fieldname, label, fieldtype: "Data", ...more });

// a text that is typed, or chosen among those that there are: it may be of before, and be gone meanwhile
const known = (fieldname, label, query) => ({
	fieldname,
	label,
	fieldtype: "Autocomplete",
	get_query: () => ({ query, translate_values: false }),
	ignore_validation: true,
});

export const source = () => known("source", __("Source"), "lead_quality.funnel.origins.get_sources");
const campaign = () => known("campaign", __("Campaign"), "lead_quality.funnel.origins.get_campaigns");

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

// A number of an axis: Frappe writes 200 leads as 200.00, and v16 nothing for 0.
export const axis_number = (value) =>
	Math.abs(value) < 1000
		? String(Number(value.toFixed(2)))
		: frappe.utils.shorten_number(value, frappe.sys_defaults.country);

// `get_chart_data` of a report: the chart that the server has made. Frappe then sets axes of its own, with which labels are
// cut at half of their room; those of here stay.
export function chart() {
	const { chart: made } = frappe.query_report.raw_data;
	if (!made) return undefined;
	const axes = {
		seriesLabelSpaceRatio: 0.9,
		...made.axisOptions,
		shortenYAxisNumbers: 1,
		numberFormatter: axis_number,
	};
	return Object.defineProperty({ ...made }, "axisOptions", {
		get: () => axes,
		set: () => {},
		enumerable: true,
	});
}

export const as_of = () => ({
	fieldname: "as_of",
	label: __("As Of"),
	fieldtype: "Date",
	description: __("By what was known at the end of that day. Empty: now"),
});

export const minimum = () => ({
	fieldname: "minimum",
	label: __("Too Few to Judge Below"),
	fieldtype: "Int",
	default: 10,
});

// The steps of the funnel as a report names them; their values are those of `STEPS` in journeys.py.
export const steps = () => [
	["target", __("Target")],
	["prospect", __("Prospect")],
	["sales ready", __("Sales Ready")],
	["accepted", __("Accepted")],
	["opportunity", __("Opportunity")],
	["quoted", __("Quoted")],
	["sale", __("Sale")],
];

// What a report on journeys groups by.
const groupings = () => ({
	"All Leads": __("All Leads"),
	Stage: __("Stage"),
	Month: __("Month"),
	Quarter: __("Quarter"),
	Week: __("Week"),
	Source: __("Source"),
	Segment: __("Segment"),
	Campaign: __("Campaign"),
	Territory: __("Territory"),
	Owner: __("Owner"),
	Company: __("Company"),
	Definition: __("Definition"),
	Age: __("Age"),
});

// What it is narrowed to, in this order.
const facets = () => ({
	company: [link("company", __("Company"), "Company")],
	segment: [link("segment", __("Segment"), "Lead Segment")],
	source: [source(), check("without_source", __("Without Source"))],
	campaign: [campaign()],
	territory: [link("territory", __("Territory"), "Territory")],
	owner: [link("owner", __("Owner"), "User")],
	checklist: [link("checklist", __("Definition"), "Qualification Checklist")],
});

// The filters of a report on journeys, as `JourneyReport` reads them: each in one wording, all in one order.
// `months`: of the period in which the leads came in, until today. `groups`: what it groups by, the first one to begin
// with; none: it cannot. `narrowed_by`: names of `facets`. `as_at`: whether these can be taken as of today.
// `non_buyers`: whether they can be counted. `more`: the report's own filters. `shows`: what it shows before a count is
// opened. `counts`: each count whose leads it lists, and its label; `of_list`: the list's own filters.
export function journey_filters({
	months,
	groups = [],
	narrowed_by = ["company", "segment", "source", "owner"],
	as_at = false,
	non_buyers = false,
	more = [],
	shows = ["Groups", __("Groups")],
	counts = [],
	of_list = [],
}) {
	const in_list = { depends_on: "eval:doc.show === 'Leads'" };
	const when = [
		["At Entry", __("At Entry")],
		["Today", __("Today")],
	];
	const grouped_by = groups.map((name) => [name, groupings()[name]]);
	const of_group = [
		text("group", __("Of Group"), in_list),
		check("without_group", __("Without Group"), in_list),
	];
	return [
		...(groups.length ? [select("group_by", __("Group By"), grouped_by)] : []),
		...period(__("Came in from"), __("Came in until"), months),
		...Object.entries(facets()).flatMap(([name, filters]) => (narrowed_by.includes(name) ? filters : [])),
		...(as_at ? [select("as_at", __("Source, Owner, … as They Were"), when)] : []),
		...(non_buyers ? [check("include_non_buyers", __("Include Non-Buyers"))] : []),
		...more,
		select("show", __("Show"), [shows, ["Leads", __("Leads")]]),
		...(counts.length ? [select("count", __("Leads Counted As"), counts, in_list)] : []),
		...of_list.map((filter) => ({ ...filter, ...in_list })),
		...(groups.length ? of_group : []),
	];
}

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
