import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import {
	DAY,
	days_between,
	deadline_in_words,
	HOUR,
	MINUTE,
	most_urgent,
	span,
	state_of,
} from "../../lead_quality/public/js/engine/time.js";

const when = (at) => `at ${at}`;

test("a deadline is paused, overdue, warned of or running, in this order", () => {
	const instants = [null, 0, 1, 2, 3, 4];
	for (const due of [1, 2, 3]) {
		for (const warn of instants) {
			for (const until of instants) {
				for (const now of [0, 1, 2, 3, 4]) {
					const expected =
						until && now < until
							? "Paused"
							: now > due
								? "Overdue"
								: warn && now >= warn
									? "Warning"
									: "Running";
					assert.equal(state_of({ due, warn, until }, now), expected);
				}
			}
		}
	}
});

test("at its very instant a deadline is not overdue yet", () => {
	assert.equal(state_of({ due: 10 }, 10), "Running");
	assert.equal(state_of({ due: 10 }, 11), "Overdue");
});

test("a span is told in the units that matter", () => {
	const spans = [
		[999, "0s"],
		[59_999, "59s"],
		[MINUTE, "1m"],
		[HOUR - 1, "59m"],
		[90 * MINUTE, "1h 30m"],
		[2 * DAY - 1, "47h 59m"],
		[2 * DAY, "2d"],
	];
	for (const [length, words] of spans) assert.equal(span(length), words);
	assert.equal(span(90 * MINUTE, true), "1h");
});

test("words say how long until, and how late", () => {
	const due = 10 * HOUR;
	assert.equal(deadline_in_words({ due }, 9 * HOUR, when), "in 1h 0m");
	assert.equal(deadline_in_words({ due }, 11 * HOUR, when), "1h 0m overdue");
	assert.equal(deadline_in_words({ due, look: "pill" }, 11 * HOUR, when), "1h late");
	assert.equal(deadline_in_words({ due, until: 5, look: "rest" }, 1, when), "rests until at 5");
	assert.equal(deadline_in_words({ due, until: 5 }, 1, when), "paused until at 5");
	assert.equal(deadline_in_words({ due, until: 1 + HOUR, look: "pill" }, 1, when), "paused 1h");
});

test("the first deadline of a lead is shown, one that rests only where nothing else is due", () => {
	const clocks = [
		{ lead: "A", clock: "rests first", rests: true },
		{ lead: "A", clock: "due" },
		{ lead: "A", clock: "later" },
		{ lead: "B", clock: "rests", rests: true },
	];
	const found = most_urgent(clocks, (clock) => Boolean(clock.rests));
	assert.deepEqual([found.A.clock, found.B.clock], ["due", "rests"]);
});

test("days are counted whole, over leap days and changes of the clock", () => {
	assert.equal(days_between("2028-02-28 23:59:59", "2028-03-01"), 2);
	assert.equal(days_between("2026-03-28", "2026-03-30"), 2);
	assert.equal(days_between("2026-11-27 16:10:00", "2026-11-26"), -1);
});
