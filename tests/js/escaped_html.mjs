// A rule for ESLint: a value gets into HTML by html`…` only, which escapes it (lead_quality/public/js/engine/markup.js).

const MARKUP = /<[/!]?[a-z]/i;
const IN_SCRIPT = /<(script|style)\b[^>]*>(?:(?!<\/\1)[\s\S])*$/i;
const IN_HANDLER = /\son\w+\s*=\s*(?:"[^"]*|'[^']*)$/i;
const UNQUOTED = /<[^<>]*\s[\w-]+=$/;
const SINKS = new Set(["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"]);

const text_of = (node) =>
	node.type === "Literal" ? (typeof node.value === "string" ? node.value : "") : null;

const is_string_of_markup = (node) =>
	!node ||
	node.type === "Literal" ||
	(node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "String");

export const escaped_html = {
	meta: {
		type: "problem",
		schema: [],
		messages: {
			template: "A value in HTML has to be escaped: write html`…` instead of `…`.",
			joined: "HTML is put together by html`…`, which escapes the values.",
			place: "No escaping helps here: a value stands in HTML as text or in an attribute in quotes.",
			sink: "Only what html`…` has made gets into the page: .html(String(…)).",
		},
	},
	create(context) {
		const tag_of = (node) =>
			node.parent.type === "TaggedTemplateExpression" && node.parent.quasi === node
				? node.parent.tag.name
				: null;
		return {
			TemplateLiteral(node) {
				if (!node.expressions.length) return;
				const texts = node.quasis.map((quasi) => quasi.value.raw);
				if (tag_of(node) !== "html") {
					if (MARKUP.test(texts.join(" "))) context.report({ node, messageId: "template" });
					return;
				}
				let before = "";
				for (const [index, expression] of node.expressions.entries()) {
					before += texts[index];
					if ([IN_SCRIPT, IN_HANDLER, UNQUOTED].some((place) => place.test(before))) {
						context.report({ node: expression, messageId: "place" });
					}
					before += "x";
				}
			},
			BinaryExpression(node) {
				if (node.operator !== "+") return;
				if ([node.left, node.right].some((side) => MARKUP.test(text_of(side) ?? ""))) {
					context.report({ node, messageId: "joined" });
				}
			},
			"CallExpression[callee.property.name='html']"(node) {
				if (!node.arguments.every(is_string_of_markup)) context.report({ node, messageId: "sink" });
			},
			MemberExpression(node) {
				if (SINKS.has(node.property.name)) context.report({ node, messageId: "sink" });
			},
		};
	},
};
