import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import { decimals_of, read_number } from "../../lead_quality/public/js/engine/numbers.js";

const FORMATS = [
	[".", ","],
	[",", "."],
	[".", " "],
	[",", " "],
	[".", "'"],
	["", "."],
	["", ","],
	[".", ""],
];

function write(value, point, group) {
	const [whole, decimals] = value.split(".");
	const grouped = whole.replace(/\B(?=(\d{3})+$)/g, group);
	return decimals && point ? `${grouped}${point}${decimals}` : grouped;
}

test("a number is read back as it was written, in every format of Frappe", () => {
	for (const [point, group] of FORMATS) {
		for (const value of [
			"0",
			"7",
			"12",
			"999",
			"1000",
			"25000",
			"1234567",
			"50000.5",
			"1000.25",
			"-1200",
		]) {
			if (value.includes(".") && !point) continue;
			const typed = write(value, point, group);
			assert.equal(
				read_number(typed, { decimal_str: point, group_sep: group }),
				value,
				`${typed} ${point}${group}`,
			);
		}
	}
});

test("Indian groups are read, too", () => {
	assert.equal(read_number("12,34,567.5", { decimal_str: ".", group_sep: "," }), "1234567.5");
});

test("what is no number stays as it was typed", () => {
	for (const typed of ["50.000x", "1-2", "", "12 apples", "1.2.3"]) {
		assert.equal(read_number(` ${typed} `, { decimal_str: ".", group_sep: "," }), typed);
	}
});

test("no more decimals are shown than there are", () => {
	assert.deepEqual(["5", "5.0", "5.50", "5.25"].map(decimals_of), [0, 0, 1, 2]);
});
