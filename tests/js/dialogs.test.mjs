import assert from "node:assert/strict";
import { test } from "node:test";

import { confirm, submit } from "../../lead_quality/public/js/desk/dialogs.js";

const make_dialog = () => ({
	is_open: true,
	hide() {
		this.is_open = false;
	},
});

test("a second click while the first is at work does nothing", async () => {
	const dialog = make_dialog();
	let times = 0;
	const work = async () => {
		times += 1;
	};
	await Promise.all([submit(dialog, work), submit(dialog, work)]);
	assert.equal(times, 1);
	assert.equal(dialog.is_open, false);
});

test("a dialog whose work was refused stays open, and can be tried again", async () => {
	const dialog = make_dialog();
	await submit(dialog, () => Promise.reject({ exc: "refused" }));
	assert.equal(dialog.is_open, true);
	let times = 0;
	await submit(dialog, async () => {
		times += 1;
	});
	assert.equal(times, 1);
});

test("a second click on Yes does nothing", async () => {
	let yes;
	globalThis.frappe = { confirm: (_markup, action) => (yes = action) };
	let times = 0;
	confirm("Sure?", async () => {
		times += 1;
	});
	yes();
	yes();
	assert.equal(times, 1);
	delete globalThis.frappe;
});
