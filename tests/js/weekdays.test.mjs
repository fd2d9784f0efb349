import assert from "node:assert/strict";
import { test } from "node:test";
import { next_free_day } from "../../lead_quality/public/js/engine/weekdays.js";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

test("a new row takes the next weekday that has no hours, over the end of the week", () => {
	assert.equal(next_free_day(DAYS, "Monday", ["Monday"]), "Tuesday");
	assert.equal(next_free_day(DAYS, "Sunday", ["Sunday", "Monday"]), "Tuesday");
	assert.equal(next_free_day(DAYS, "Monday", ["Monday", "Tuesday", "Thursday"]), "Wednesday");
	assert.equal(next_free_day(DAYS, "Friday", DAYS), undefined);
});
