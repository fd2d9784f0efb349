import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import {
	clocks_of,
	span_in_words,
	step_in_words,
	target_in_words,
} from "../../lead_quality/public/js/engine/policy.js";

test("a target is told in words, whether its numbers are numbers or the desk's untouched texts", () => {
	for (const type of [Number, String]) {
		const target = (within, unit, percent) =>
			target_in_words({ within: type(within), unit, warn_at_percent: type(percent) });
		assert.equal(target(2, "Working Hours", 75), "2 working hours, with a warning after 1h 30m.");
		assert.equal(target(1, "Working Days", 100), "1 working day, without a warning.");
		assert.equal(target(3, "Days", 50), "3 days, with a warning after 50% of it.");
		assert.equal(target(30, "Minutes", 50), "30 minutes, with a warning after 15m.");
		assert.equal(target(4, "Hours", 50), "4 hours, with a warning after 2h.");
	}
});

test("a row in which no time is entered says so, before the first save", () => {
	for (const within of [undefined, null, "", 0, "0", "0.000"]) {
		assert.equal(
			target_in_words({ within, unit: "Working Hours", warn_at_percent: "75" }),
			"no time is entered yet.",
		);
	}
	assert.equal(target_in_words({ within: 2 }), "no time is entered yet.");
	assert.equal(target_in_words(null), "as long as the Sales Ready Agreement says.");
});

test("one of a unit is told as one", () => {
	for (const [unit, word] of [
		["Minutes", "minute"],
		["Hours", "hour"],
		["Working Hours", "working hour"],
		["Days", "day"],
		["Working Days", "working day"],
	]) {
		assert.equal(span_in_words("1.000", unit), `1 ${word}`);
		assert.equal(span_in_words(2, unit), `2 ${word}s`);
	}
});

test("the ladder of a clock is in the order of time, with the steps of every clock", () => {
	const step = (after, unit, clock = "") => ({ after, unit, clock, action: "Notify Owner" });
	const found = clocks_of({
		targets: [{ clock: "Triage", within: 1 }, {}],
		escalations: [
			step("2", "Days", "Triage"),
			step("4", "Working Hours"),
			step(1, "Hours", "Handover Acceptance"),
			{ after: 1, clock: "Next Touch" },
		],
	});
	assert.deepEqual(
		found.map(({ clock, target, steps }) => [clock, Boolean(target), steps.map(({ unit }) => unit)]),
		[
			["Triage", true, ["Working Hours", "Days"]],
			["Handover Acceptance", false, ["Hours", "Working Hours"]],
		],
	);
});

test("what a step names is text", () => {
	const step = { action: "Notify Role", role: "<b>Sales</b>", after: "0" };
	assert.equal(
		String(step_in_words(step, "the owner")),
		"At the deadline every user with the role <b>&lt;b&gt;Sales&lt;/b&gt;</b> is notified.",
	);
});
