import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import { formatter } from "../../lead_quality/public/js/desk/report.js";

// as the desk shows a cell: a link by its fieldtype, anything else as it comes
const as_desk = (value, row, { fieldtype }) => (fieldtype === "Link" ? `<a href="#">${value}</a>` : value);
const cell = (value, options) =>
	formatter()(value, {}, { fieldname: "x", fieldtype: "Link", options }, {}, as_desk);

test("a record that the user may open is a link, any other one is text", () => {
	assert.equal(cell("Inbound", "Lead Segment"), `<a href="#">Inbound</a>`);
	assert.equal(cell("olga@example.com", "User"), "olga@example.com");
	assert.equal(cell("<img src=x>", "User"), "&lt;img src=x&gt;");
});
