import assert from "node:assert/strict";
import { test } from "node:test";
import { moved_address } from "../../lead_quality/public/js/desk/moved.js";

test("an address of a report that was renamed leads to it, with its filters, on each version's desk", () => {
	for (const desk of ["app", "desk"]) {
		const address = moved_address({
			pathname: `/${desk}/query-report/Lead%20Source%20Quality`,
			search: "?source=Website",
		});
		assert.equal(address, `/${desk}/query-report/Source%20Effectiveness?source=Website`);
	}
});

test("any other address stays", () => {
	for (const pathname of ["/app", "/app/lead/100%25", "/app/query-report/Source%20Effectiveness"]) {
		assert.equal(moved_address({ pathname, search: "" }), null);
	}
});
