import assert from "node:assert/strict";
import { test } from "node:test";
import "./desk.mjs";
import {
	bold,
	escape_tags,
	escape_text,
	fill,
	html,
	join,
	trusted,
} from "../../lead_quality/public/js/engine/markup.js";

const NASTY = `x" onmouseover="alert(1)'><img src=x onerror=alert(1)>&amp;\``;
const SIGNS = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x60": "`" };
const read = (markup) => markup.replace(/&([#\w]+);/g, (whole, name) => SIGNS[name]);

function* texts() {
	const signs = ["<", ">", '"', "'", "`", "&", "a", " ", "{0}", "="];
	for (const a of signs) for (const b of signs) for (const c of signs) yield a + b + c;
	yield NASTY;
}

test("a value is text in an element and in an attribute, whatever it says", () => {
	for (const text of texts()) {
		const found = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/.exec(
			String(html`<p title="${text}">${text}</p>`),
		);
		assert.ok(found, text);
		assert.deepEqual([read(found[1]), read(found[2])], [text, text]);
	}
});

test("markup in markup is not escaped again, and lists follow one another", () => {
	const items = ["a & b", "c"].map((text) => html`<li>${text}</li>`);
	assert.equal(String(html`<ul>${items}</ul>`), "<ul><li>a &amp; b</li><li>c</li></ul>");
	assert.equal(String(html`${bold(bold("x"))}`), "<b><b>x</b></b>");
	assert.equal(String(html`${trusted("<i>1</i>")}`), "<i>1</i>");
});

test("nothing leaves nothing, zero is a figure", () => {
	assert.equal(String(html`[${null}${undefined}${false}${""}${0}]`), "[0]");
});

test("a sentence is text, and so is what is put into it", () => {
	assert.equal(String(fill("{1} < {0} & {0}", "a<b", bold("c"))), "<b>c</b> &lt; a&lt;b &amp; a&lt;b");
	// a value that looks like a place for another one
	assert.equal(String(fill("{0} {1}", "{1}", "{0}")), "{1} {0}");
});

test("what is empty is not joined", () => {
	assert.equal(String(join(["a", "", null, html``, "b"], html`<br>`)), "a<br>b");
});

test("escape_text takes what is no text", () => {
	assert.deepEqual([escape_text(null), escape_text(undefined), escape_text(0)], ["", "", "0"]);
});

test("what Frappe has cleaned is escaped once, and holds no tag", () => {
	assert.equal(escape_tags("D'Arcy &amp; <GmbH>"), "D&#39;Arcy &amp; &lt;GmbH&gt;");
	assert.equal(read(escape_tags("&lt;img&gt;")), "<img>");
	for (const text of texts()) assert.doesNotMatch(escape_tags(text), /[<>"'`]/);
});
