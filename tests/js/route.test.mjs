import assert from "node:assert/strict";
import { test } from "node:test";
import { asks_for, queue_order, says_nothing_of } from "../../lead_quality/public/js/engine/route.js";

test("a link asks for a value in each way that Frappe writes it", () => {
	for (const wanted of ["Sent", ["=", "Sent"], '["=", "Sent"]', [["=", "Sent"]]]) {
		assert.ok(asks_for({ status: wanted }, "status", "Sent"), JSON.stringify(wanted));
	}
	for (const wanted of ["Accepted", ["!=", "Sent"], ["in", ["Sent"]], undefined]) {
		assert.ok(!asks_for({ status: wanted }, "status", "Sent"), JSON.stringify(wanted));
	}
	// a number card of v15
	assert.ok(asks_for({ "Lead Handover.status": ["=", "Sent"] }, "status", "Sent"));
	assert.ok(!says_nothing_of({ "Lead Handover.status": ["=", "Sent"] }, "status"));
	assert.ok(!asks_for(null, "status", "Sent"));
	assert.ok(!asks_for({}, "status", undefined));
});

test("only a link that says nothing of a field leaves it open", () => {
	assert.deepEqual(
		[null, {}, { lq_due_at: ["is", "set"] }].map((options) => says_nothing_of(options, "lq_due_at")),
		[false, true, false],
	);
});

test("a link to leads that wait for somebody opens a queue, by deadline where it asks for one", () => {
	assert.deepEqual(queue_order({ lq_due_at: ["is", "set"], lead_owner: "a@b.c" }), ["lq_due_at", "asc"]);
	for (const options of [{ lead_owner: "a@b.c" }, { lq_waits: "1" }, { "Lead.name": ["in", "A,B"] }])
		assert.deepEqual(queue_order(options), ["lq_priority", "desc"]);
	for (const options of [null, {}, { city: "Bonn" }]) assert.equal(queue_order(options), null);
});
