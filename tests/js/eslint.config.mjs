import { escaped_html } from "./escaped_html.mjs";
import { tool } from "./tools.mjs";

const js = tool("@eslint/js");
const globals = tool("globals");

// what Frappe's desk offers to every script
const DESK = [
	"$",
	"__",
	"cint",
	"comment_when",
	"cur_frm",
	"cur_list",
	"format_number",
	"frappe",
	"get_number_format",
	"get_number_format_info",
	"lead_quality",
	"locals",
	"moment",
];
const rules = {
	complexity: ["error", 16],
	eqeqeq: "error",
	"max-lines": ["error", 520],
	"max-params": ["error", 5],
	"no-shadow-restricted-names": "error",
	"no-unused-vars": ["error", { args: "none", caughtErrors: "none", ignoreRestSiblings: true }],
	"no-var": "error",
	"prefer-const": ["error", { destructuring: "all" }],
	"lead-quality/escaped-html": "error",
};

export default [
	js.configs.recommended,
	{ plugins: { "lead-quality": { rules: { "escaped-html": escaped_html } } }, rules },
	{
		files: ["lead_quality/**/*.js"],
		languageOptions: {
			globals: { ...globals.browser, ...Object.fromEntries(DESK.map((name) => [name, "readonly"])) },
		},
	},
	{ files: ["lead_quality/public/js/**/*.js"], languageOptions: { sourceType: "module" } },
	{
		// Frappe runs these as they are
		files: [
			"lead_quality/lead_quality/**/*.js",
			"lead_quality/public/js/lead_form.js",
			"lead_quality/public/js/lead_list.js",
		],
		languageOptions: { sourceType: "script" },
	},
	{
		// pure: knows neither Frappe nor the page, and reads no clock
		files: ["lead_quality/public/js/engine/*.js"],
		languageOptions: { globals: { __: "readonly" } },
		rules: {
			"no-restricted-globals": [
				"error",
				"frappe",
				"$",
				"document",
				"window",
				"moment",
				"locals",
				"cur_frm",
			],
			"no-restricted-properties": ["error", { object: "Date", property: "now" }],
			"no-restricted-imports": ["error", { patterns: ["../*"] }],
		},
	},
	{
		files: ["tests/js/**/*.mjs"],
		languageOptions: { globals: { ...globals.node, moment: "readonly" } },
		rules: { "lead-quality/escaped-html": "off" },
	},
];
