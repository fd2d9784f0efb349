import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import { deadline, when_short } from "../../lead_quality/public/js/desk/deadlines.js";
import { effect_html } from "../../lead_quality/public/js/desk/versioned.js";
import { panel_html } from "../../lead_quality/public/js/lead/panel_html.js";
import {
	ageing,
	effect_of_snooze,
	is_closed,
	opt_out_in_words,
	snooze_picks,
	split_clocks,
} from "../../lead_quality/public/js/lead/words.js";

const NASTY = `"'><img src=x onerror=alert(1)>`;
const DUE = "2026-11-30 10:10:00";

const panel = (text) => ({
	stage: "prospect",
	segment: text,
	away: text,
	opt_outs: [{ channel: text, reason: text }],
	attention: { faults: ["No Owner"], stale_on: "2026-12-01", shelf_life_ends_on: "2026-11-01" },
	profile: { filled: 1, total: 2, missing: [text] },
	qualification: {
		verdict: text,
		reason: text,
		met_count: 1,
		criteria_count: 4,
		horizon: text,
		decision: "",
	},
	handover: { name: text, status: "Accepted", to_name: text, away: text },
	enrollment: { status: "Snoozed", snoozed_until: "2099-01-01 09:00:00", snooze_reason: text },
	next_touch: { step: text, channel: "Letter", script: text, due_at: DUE },
	clocks: [{ clock: text, due_at: DUE, missed_by_system: 1 }],
	may_read: { "Lead Touch": true, "Follow Up Clock": true },
	absences: [{ text }],
	likely_duplicates: [{ name: text, title: text }],
	touches: [{ channel: text, outcome: text, note: text, done_at: DUE }],
});

test("no text of a lead becomes an element of the panel", () => {
	const shown = String(panel_html(panel(NASTY), { may_write: true }));
	assert.ok(!shown.includes("<img"), shown);
	assert.ok(shown.split("&lt;img").length > 10);
	const { enrollment, ...awake } = panel(NASTY);
	const { next_touch, ...unplanned } = awake;
	for (const data of [
		awake,
		{ ...unplanned, handover: null },
		{ ...awake, handover: { ...awake.handover, status: "Sent" } },
	]) {
		assert.ok(!String(panel_html(data, { may_write: false })).includes("<img"));
	}
});

test("who may not write the lead is offered nothing but to answer a handover to them", () => {
	const actions = (data, may_write) =>
		[...String(panel_html(data, { may_write })).matchAll(/data-action="(\w+)"/g)].map(
			([, action]) => action,
		);
	const qualification = { ...panel("").qualification, verdict: "Open" };
	const ready = { ...qualification, verdict: "Sales Ready" };
	const full = { ...panel(""), stage: "target", opt_outs: [], may_override: ["Opportunity"], hint: "x" };
	for (const data of [
		{ ...full, qualification, handover: null },
		{ ...full, qualification, hint: null },
		{ ...full, qualification: ready, handover: null, next_touch: null },
		{ ...full, qualification: { ...qualification, decision: "Nurture" }, handover: null },
	]) {
		const kept = actions(data, false).filter((action) => action !== "create_opportunity");
		assert.deepEqual(kept, []);
		assert.ok(actions(data, true).length > 3);
	}
	const sent = { ...panel("").handover, status: "Sent", is_mine: true };
	assert.deepEqual(actions({ ...full, qualification, handover: sent }, false), ["open_handover"]);
});

test("what a user may not read is left out, and not called nothing", () => {
	const shown = (may_read) =>
		String(panel_html({ ...panel(""), clocks: [], next_touch: null, may_read }, { may_write: true }));
	assert.match(shown({ "Lead Touch": true, "Follow Up Clock": true }), /Nothing planned.*Nothing is due/s);
	assert.doesNotMatch(shown({ "Lead Touch": false, "Follow Up Clock": true }), /Nothing planned/);
	assert.doesNotMatch(shown({ "Lead Touch": true, "Follow Up Clock": false }), /Nothing is due/);
});

test("leave is offered for what is held at the gate and has none yet, and what has leave is named", () => {
	const shown = (may_override, overridden) => {
		const qualification = { ...panel("").qualification, verdict: "Open" };
		const data = { ...panel(""), stage: "target", qualification, may_override, overridden };
		return String(panel_html(data, { may_write: true }));
	};
	const offers = (text) => text.includes('data-action="override"');
	assert.ok(!offers(shown([], [])));
	assert.ok(offers(shown(["Quotation"], [])));
	const both = shown(["Customer"], ["Opportunity", "Quotation"]);
	assert.ok(offers(both) && both.includes("Gate overridden: Opportunity, Quotation"));
	assert.ok(!offers(shown([], ["Opportunity"])));
});

test("no text of a version becomes an element of the question whether to activate it", () => {
	const shown = String(
		effect_html(NASTY, {
			replaces: NASTY,
			segments: [NASTY],
			leads: 3,
			changes: [NASTY],
			warnings: [NASTY],
		}),
	);
	assert.ok(!shown.includes("<img"), shown);
	assert.equal(shown.split("&lt;img").length, 7);
});

test("a deadline keeps its instants in an attribute, and its title is text", () => {
	const shown = String(deadline({ due_at: DUE }, { title: NASTY }));
	assert.match(shown, /data-deadline="[^"<>]*"/);
	assert.ok(!shown.includes("<img"));
});

test("the next touch has one deadline, and the plan is no deadline beside it", () => {
	const data = { ...panel("x"), opt_outs: [], enrollment: null };
	data.clocks = [
		{ clock: "Next Touch", due_at: "2026-12-02 17:00:00" },
		{ clock: "First Response", due_at: DUE },
	];
	const shown = String(panel_html(data, { may_write: true }));
	assert.equal(shown.split("data-deadline=").length - 1, 2);
	assert.equal(shown.split('data-clock="Next Touch"').length - 1, 1);
	assert.match(shown, /planned for/);
	assert.match(shown, /at the latest/);
	const without_clock = String(panel_html({ ...data, clocks: [] }, { may_write: true }));
	assert.equal(without_clock.split("data-deadline=").length - 1, 1);
});

test("the clock of the next touch has its own line only where no touch is planned", () => {
	const clocks = [{ clock: "Next Touch" }, { clock: "Triage" }];
	assert.deepEqual(split_clocks({ clocks, next_touch: {} }), { of_touch: clocks[0], others: [clocks[1]] });
	assert.deepEqual(split_clocks({ clocks, next_touch: null }), { of_touch: null, others: clocks });
});

test("within the week a weekday and an hour name an instant, else its day does, too", () => {
	const now = moment("2026-11-27 16:10:00").valueOf();
	assert.equal(when_short(moment("2026-11-30 10:10:00").valueOf(), now), "Mon 10:10");
	assert.equal(when_short(moment("2026-11-23 10:10:00").valueOf(), now), "Mon 10:10");
	assert.equal(when_short(moment("2026-12-04 10:10:00").valueOf(), now), "Fri 04.12.2026 10:10");
});

test("what a person does not want is said, and closes its channel", () => {
	const mail = [{ channel: "Email", reason: "Unsubscribed" }, { channel: "SMS" }];
	assert.equal(opt_out_in_words(mail), "Wants no Email (Unsubscribed), SMS.");
	assert.equal(opt_out_in_words([...mail, { channel: "All", reason: "" }]), "Wants no contact at all.");
	assert.equal(opt_out_in_words([]), "");
	assert.equal(opt_out_in_words(undefined), "");
	assert.ok(is_closed(mail, "Email") && !is_closed(mail, "Phone"));
	assert.ok(is_closed([{ channel: "All" }], "Phone"));
	assert.ok(!is_closed(undefined, "Phone"));
});

test("nobody is asked to write or call by a channel that is closed", () => {
	const touch = { step: "Call", channel: "Phone", due_at: DUE };
	const data = { ...panel("x"), enrollment: null, next_touch: touch, opt_outs: [{ channel: "Phone" }] };
	assert.ok(!String(panel_html(data, { may_write: true })).includes('data-action="outcome"'));
	data.opt_outs = [];
	assert.ok(String(panel_html(data, { may_write: true })).includes('data-action="outcome"'));
});

test("a lead says how long it keeps, in orange when that is soon and in red when it is over", () => {
	const show = (day) => day;
	const today = "2026-11-27 16:10:00";
	const told = (kind, day) => Object.values(ageing(kind, day, today, show));
	assert.deepEqual(told("stale", "2026-11-26"), ["red", "Stale since 2026-11-26"]);
	assert.deepEqual(told("stale", "2026-11-27"), ["red", "Goes stale today"]);
	assert.deepEqual(told("stale", "2026-12-11"), ["orange", "Goes stale 2026-12-11"]);
	assert.deepEqual(told("stale", "2026-12-12"), [null, "Goes stale 2026-12-12"]);
	assert.deepEqual(told("shelf_life", "2026-11-27"), ["red", "Shelf life ends today"]);
});

test("a snooze pauses what waits for a word to the lead and is not late", () => {
	const clocks = ["First Response", "First Touch After Acceptance", "Triage", "Next Touch"].map(
		(clock) => ({ clock }),
	);
	const found = effect_of_snooze(clocks, ({ clock }) => clock === "First Response");
	const names = Object.fromEntries(
		Object.entries(found).map(([kind, all]) => [kind, all.map(({ clock }) => clock)]),
	);
	assert.deepEqual(names, {
		paused: ["First Touch After Acceptance"],
		late: ["First Response"],
		running: ["Triage"],
	});
});

test("a day to snooze until is offered once: on a Sunday, tomorrow is next week", () => {
	const labels = (day) => snooze_picks(moment(day)).map(([label]) => label);
	assert.deepEqual(labels("2026-11-29 12:00"), ["Tomorrow", "Next month"]);
	assert.deepEqual(labels("2026-11-27 12:00"), ["Tomorrow", "Next week", "Next month"]);
});

test("a day on which nobody works is not offered to snooze until", () => {
	const closed = ["2026-11-28", "2026-11-29", "2026-12-26", "2026-12-27"];
	const picks = snooze_picks(moment("2026-11-27 12:00"), closed);
	const days = picks.map(([label, day]) => [label, day.format("YYYY-MM-DD")]);
	assert.deepEqual(days, [
		["Next open day", "2026-11-30"],
		["Next month", "2026-12-28"],
	]);
});
