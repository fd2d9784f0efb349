import assert from "node:assert/strict";
import { test } from "node:test";

import { last_question } from "../../lead_quality/public/js/engine/latest.js";

test("the answer to a question that was asked again meanwhile counts no more, however late it comes", async () => {
	const latest = last_question();
	let answer_late;
	const before = latest(new Promise((resolve) => (answer_late = resolve)));
	const now = latest(Promise.resolve("new"));
	assert.equal(await now, "new");
	answer_late("old");
	assert.equal(await before, undefined);
});

test("a question that is asked once is answered", async () => {
	assert.equal(await last_question()(Promise.resolve("only")), "only");
});

test("a question that fails says so", async () => {
	await assert.rejects(last_question()(Promise.reject(new Error("no"))), /no/);
});
