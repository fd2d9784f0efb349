import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import {
	arguments_of,
	changed_fields,
	choices_of,
	contacts_of,
	goes_through_api,
	is_yes,
	key_of,
	refusals,
	value_of,
	with_values,
} from "../../lead_quality/public/js/engine/answers.js";

const LINE = {
	criterion: { criterion: "need" },
	contact: "",
	saved: { value: "Pumps", note: "old", answered_on: "2026-01-01 10:00:00" },
};

test("an edit says what was seen, and holds only what was changed", () => {
	const first = with_values(undefined, LINE, { value: "Valves" });
	const second = with_values(first, LINE, { note: "" });
	assert.deepEqual(second, {
		criterion: "need",
		contact: null,
		seen: "2026-01-01 10:00:00",
		value: "Valves",
		note: "",
	});
	assert.equal(value_of(second, LINE.saved, "value"), "Valves");
	assert.equal(value_of(second, LINE.saved, "note"), "");
	assert.equal(value_of(first, LINE.saved, "note"), "old");
	assert.equal(value_of(undefined, LINE.saved, "value"), "Pumps");
});

test("only what was changed is sent; a decision is sent whole", () => {
	const doc = { lead: "L", horizon: "Near Term", decision: "Nurture", nurture_until: "2027-01-01" };
	const edits = { "need|": { criterion: "need", value: "x" } };
	assert.deepEqual(arguments_of(doc, edits, []), {
		lead: "L",
		answers: '[{"criterion":"need","value":"x"}]',
	});
	assert.equal(arguments_of(doc, {}, ["horizon"]).horizon, "Near Term");
	const { decision, outcome_reason, nurture_until } = arguments_of(doc, {}, ["nurture_until"]);
	assert.deepEqual([decision, outcome_reason, nurture_until], ["Nurture", "", "2027-01-01"]);
});

test("empty and missing are no difference; a field of the site's own goes with the form", () => {
	assert.deepEqual(changed_fields({ a: "", b: 1, c: null }, { a: null, b: 2 }, ["a", "b", "c"]), ["b"]);
	assert.deepEqual(["horizon", "decision", "custom_x"].filter(goes_through_api), ["horizon", "decision"]);
});

test("a choice that the checklist does not offer is offered where it is the answer", () => {
	const criterion = { answer_type: "Select", options: " A \n\nB" };
	assert.deepEqual(choices_of(criterion, "C"), ["A", "B", "C"]);
	assert.deepEqual(choices_of(criterion, "A"), ["A", "B"]);
	assert.deepEqual(choices_of({ answer_type: "Check", options: "A" }, "1"), ["Yes", "No"]);
	assert.deepEqual(["1", "Yes", "on", "0", "", null].map(is_yes), [true, true, true, false, false, false]);
});

test("each contact is asked, who is gone and has answered, and nobody in particular", () => {
	const answers = [{ contact: "gone", contact_name: "Gone" }, { contact: "here" }, { contact: "" }];
	assert.deepEqual(
		contacts_of({ per_contact: 1, answers }, [{ name: "here" }]).map(({ name }) => name),
		["here", "gone", ""],
	);
	assert.deepEqual(contacts_of({ per_contact: 0, answers }, [{ name: "here" }]), [{ name: "" }]);
});

test("a refusal is shown at the line that it is about", () => {
	const lines = ["5", "50x"].map((value, index) => ({
		key: key_of("budget", `c${index}`),
		question: "What is the budget?",
		edit: { value },
	}));
	lines.push({ key: "need|", question: "What do they need?", edit: null });
	assert.deepEqual(refusals(["What is the budget?: 50x is not a Number"], lines), {
		"budget|c1": "50x is not a Number",
	});
	assert.deepEqual(refusals(["Not permitted"], lines), {});
});
