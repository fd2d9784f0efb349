import assert from "node:assert/strict";
import { test } from "node:test";
import { escaped_html } from "./escaped_html.mjs";
import { tool } from "./tools.mjs";

const { Linter } = tool("eslint");

function found(code) {
	const config = {
		plugins: { own: { rules: { "escaped-html": escaped_html } } },
		rules: { "own/escaped-html": "error" },
	};
	return new Linter()
		.verify(code, config)
		.map(({ messageId, fatal, message }) => (fatal ? message : messageId));
}

test("a value in HTML that is not escaped is refused", () => {
	assert.deepEqual(found("const a = `<b>${x}</b>`;"), ["template"]);
	assert.deepEqual(found("const a = `${x}</b>`;"), ["template"]);
	assert.deepEqual(found("const a = other`<b title='${x}'>`;"), ["template"]);
	assert.deepEqual(found("const a = '<b>' + x;"), ["joined"]);
	assert.deepEqual(found("$p.html(x);"), ["sink"]);
	assert.deepEqual(found("p.innerHTML = x;"), ["sink"]);
});

test("a place where escaping does not help is refused", () => {
	assert.deepEqual(found("html`<b title=${x}>`;"), ["place"]);
	assert.deepEqual(found('html`<b onclick="f(${x})">`;'), ["place"]);
	assert.deepEqual(found("html`<script>f(${x})</script>`;"), ["place"]);
	assert.deepEqual(found("html`<style>${x}</style>`;"), ["place"]);
});

test("what is escaped, or is no HTML, passes", () => {
	for (const code of [
		'html`<b title="${x}">${y}</b>`;',
		"const a = `lead/${x}?a=1`;",
		"const a = '<b>x</b>';",
		"const a = `<b>x</b>`;",
		"$p.html(String(html`<b>${x}</b>`));",
		"$p.html('');",
		"const a = b < c + d;",
		"html`<style>a</style><p>${x}</p>`;",
	]) {
		assert.deepEqual(found(code), [], code);
	}
});
