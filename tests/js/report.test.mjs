import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import "./desk.mjs";
import * as report from "../../lead_quality/public/js/desk/report.js";

const { formatter, journey_filters, minimum } = report;

// as the desk shows a cell: a link by its fieldtype, anything else as it comes
const as_desk = (value, row, { fieldtype }) => (fieldtype === "Link" ? `<a href="#">${value}</a>` : value);
const cell = (value, options) =>
	formatter()(value, {}, { fieldname: "x", fieldtype: "Link", options }, {}, as_desk);

test("a record that the user may open is a link, any other one is text", () => {
	assert.equal(cell("Inbound", "Lead Segment"), `<a href="#">Inbound</a>`);
	assert.equal(cell("olga@example.com", "User"), "olga@example.com");
	assert.equal(cell("<img src=x>", "User"), "&lt;img src=x&gt;");
});

test("the filters of a journey report stand in one order, of a list those that the list needs", () => {
	const filters = journey_filters({
		months: 6,
		groups: ["Month", "Source"],
		narrowed_by: ["source", "company"],
		as_at: true,
		more: [minimum()],
		counts: [
			["won", "Won"],
			["leads", "Leads"],
		],
	});
	assert.deepEqual(
		filters.map(({ fieldname, default: chosen }) => [fieldname, chosen]),
		[
			["group_by", "Month"],
			["from_date", "2026-05-27"],
			["to_date", "2026-11-27"],
			["company", undefined],
			["source", undefined],
			["without_source", 0],
			["as_at", "At Entry"],
			["minimum", 10],
			["show", "Groups"],
			["count", "won"],
			["group", undefined],
			["without_group", 0],
		],
	);
	const of_list = filters.filter((filter) => filter.depends_on).map((filter) => filter.fieldname);
	assert.deepEqual(of_list, ["count", "group", "without_group"]);
});

test("a report that counts no groups has no filter of a group", () => {
	const names = journey_filters({ months: 1 }).map((filter) => filter.fieldname);
	assert.deepEqual(names, [
		"from_date",
		"to_date",
		"company",
		"segment",
		"source",
		"without_source",
		"owner",
		"show",
	]);
});

test("sources and campaigns are offered, and one that is gone may be typed", () => {
	const filters = journey_filters({ months: 1, narrowed_by: ["source", "campaign"] });
	for (const name of ["source", "campaign"]) {
		const filter = filters.find(({ fieldname }) => fieldname === name);
		assert.equal(filter.fieldtype, "Autocomplete");
		assert.equal(filter.get_query().query, `lead_quality.funnel.origins.get_${name}s`);
		assert.ok(filter.ignore_validation);
	}
});

const folder = fileURLToPath(new URL("../../lead_quality/lead_quality/report/", import.meta.url));
globalThis.lead_quality = { report };
for (const name of readdirSync(folder)) {
	const script = `${folder}${name}/${name}.js`;
	if (existsSync(script)) vm.runInThisContext(readFileSync(script, "utf8"));
}
const journeys = [
	"Lead to Proposal",
	"Leaks",
	"Qualified Leads",
	"Source Effectiveness",
	"Stage Conversion",
	"Stage Velocity",
	"Wasted Leads",
];

test("every report draws its chart with axes of its own, whatever Frappe sets after that", () => {
	for (const [name, { get_chart_data }] of Object.entries(globalThis.frappe.query_reports)) {
		const made = { type: "line", data: { labels: ["1"] }, axisOptions: { xIsSeries: 1 } };
		globalThis.frappe.query_report = { raw_data: { chart: made } };
		const options = get_chart_data();
		options.axisOptions = { numberFormatter: (value) => value.toFixed(2) };
		const drawn = { ...options }; // as the chart copies it
		assert.equal(drawn.type, "line", name);
		assert.equal(drawn.axisOptions.xIsSeries, 1, name);
		assert.equal(drawn.axisOptions.numberFormatter(200), "200", name);
		globalThis.frappe.query_report = { raw_data: {} };
		assert.equal(get_chart_data(), undefined, name);
	}
});

test("numbers of an axis have the decimals that they need, and large ones are short", () => {
	globalThis.frappe.sys_defaults = { country: "Germany" };
	globalThis.frappe.utils.shorten_number = (value) => `${value / 1000} K`;
	const written = [0, 200, 2.5, 0.30000000000000004, -40, 999, 1500].map(report.axis_number);
	assert.deepEqual(written, ["0", "200", "2.5", "0.3", "-40", "999", "1.5 K"]);
});

test("every report names each of its filters once, in words, and each choice has a label", () => {
	for (const [name, { filters }] of Object.entries(globalThis.frappe.query_reports)) {
		const names = filters.map((filter) => filter.fieldname);
		assert.equal(new Set(names).size, names.length, name);
		for (const { fieldname, label, options } of filters) {
			assert.ok(label, `${name}: ${fieldname}`);
			for (const option of Array.isArray(options) ? options : [])
				assert.ok(option.label || option.value === "", `${name}: ${fieldname} ${option.value}`);
		}
	}
});

test("the same filter has the same words in all reports on journeys, and the same value the same label", () => {
	const words = {};
	const same = (key, label) => assert.equal((words[key] ??= label), label, key);
	for (const name of journeys) {
		for (const { fieldname, label, fieldtype, options } of globalThis.frappe.query_reports[name]
			.filters) {
			same(fieldname, label);
			same(`${fieldname} type`, fieldtype);
			const is_shared = ["group_by", "show", "as_at", "step"].includes(fieldname);
			for (const option of is_shared ? options : []) same(`${fieldname} ${option.value}`, option.label);
		}
	}
});

test("the filters that reports on journeys share come in the same order", () => {
	const place = new Map(
		journey_filters({
			months: 6,
			groups: ["Month"],
			narrowed_by: ["company", "segment", "source", "campaign", "territory", "owner", "checklist"],
			as_at: true,
			non_buyers: true,
			counts: [["leads", "Leads"]],
		}).map(({ fieldname }, index) => [fieldname, index]),
	);
	for (const name of journeys) {
		const places = globalThis.frappe.query_reports[name].filters
			.map((filter) => place.get(filter.fieldname))
			.filter((index) => index !== undefined);
		assert.deepEqual(
			places,
			places.toSorted((one, other) => one - other),
			name,
		);
	}
});
