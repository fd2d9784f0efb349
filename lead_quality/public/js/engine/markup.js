// HTML that escapes what is put into it. A value in html`<b>${value}</b>` is plain text, unless it is markup itself.

const SIGNS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#x60;" };

class Markup {
	constructor(text) {
		this.text = text;
	}

	toString() {
		return this.text;
	}
}

// Text as HTML shows it, inside an element or an attribute in quotes.
export function escape_text(value) {
	return String(value ?? "").replace(/[&<>"'`]/g, (sign) => SIGNS[sign]);
}

// The same of a text that Frappe or our server has cleaned: what it has written as an entity stays one.
export function escape_tags(value) {
	return String(value ?? "").replace(/[<>"'`]/g, (sign) => SIGNS[sign]);
}

function text_of(value) {
	if (value instanceof Markup) return value.text;
	if (Array.isArray(value)) return value.map(text_of).join("");
	return value === false ? "" : escape_text(value);
}

// null, undefined and false leave nothing; the members of an array follow one another.
export function html(texts, ...values) {
	return new Markup(texts.reduce((all, text, index) => all + text_of(values[index - 1]) + text));
}

// HTML that the server or Frappe has made, and has made safe.
export const trusted = (text) => new Markup(String(text ?? ""));

// A translated sentence with {0}, {1}… as HTML: the sentence and its values are plain text, unless they are markup.
export function fill(sentence, ...values) {
	const parts = sentence.split(/\{(\d+)\}/);
	return new Markup(
		parts.map((part, index) => (index % 2 ? text_of(values[part]) : escape_text(part))).join(""),
	);
}

export const join = (parts, separator) =>
	new Markup(
		parts
			.filter((part) => text_of(part))
			.map(text_of)
			.join(text_of(separator)),
	);

export const bold = (value) => html`<b>${value}</b>`;
