// The form of a Sales Ready Agreement: who reads it, who signs it, and what has changed since it was signed last.

import { confirm, refused } from "../desk/dialogs.js";
import { call_document, document_of, save_first } from "../desk/form.js";
import { make_new_version } from "../desk/versioned.js";
import { AGREEMENT } from "../engine/colours.js";
import { bold, fill, html } from "../engine/markup.js";

export const sales_ready_agreement_form = {
	setup(frm) {
		frm.set_query("checklist", () => ({ filters: { status: "Active" } }));
		frm.set_query("reason", "reasons", () => ({ filters: { enabled: 1 } }));
	},
	deadline_unit: (frm) => name_units(frm),
	refresh(frm) {
		name_units(frm);
		frm.page.set_indicator(__(frm.doc.status), AGREEMENT[frm.doc.status]);
		const state = !frm.is_new() && frm.doc.__onload?.signing;
		frm.toggle_display(["readers_section", "signatures_section"], Boolean(state));
		if (!state) return;
		frm.set_intro(
			String(html`<span>${state.intro}</span>${changes_html(state.changes || [])}`),
			{ "Awaiting Signature": "orange", Active: "green" }[frm.doc.status] || "blue",
		);
		if (frm.doc.status === "Superseded") frm.disable_form();
		frm.get_field("who_has_read").$wrapper.html(String(readers_html(state.people)));
		add_buttons(frm, state);
	},
};

export const sales_ready_agreement_list = {
	get_indicator: ({ status }) => [__(status), AGREEMENT[status], `status,=,${status}`],
};

// who reads a number shall see of what
function name_units(frm) {
	const labels = {
		accept_within: __("Accept Within"),
		first_touch_within: __("First Touch Within"),
		pull_back_after: __("Pull Back After"),
	};
	const unit = frm.doc.deadline_unit;
	for (const [fieldname, label] of Object.entries(labels)) {
		frm.set_df_property(fieldname, "label", unit ? `${label} (${__(unit)})` : label);
	}
}

// who signs shall know what is new in it
const changes_html = (changes) =>
	changes.length > 0 &&
	html`<div class="mt-2" data-changes>${__("New in it:")}
		<ul class="mb-0 pl-4">${changes.map((change) => html`<li>${change}</li>`)}</ul></div>`;

function add_buttons(frm, state) {
	const add = (label, action) =>
		frm.add_custom_button(label, () => Promise.resolve(action()).catch(refused));
	if (frm.doc.status === "Draft" && frm.has_perm("write")) {
		add(__("Send for Signature"), async () => (await save_first(frm)) && call(frm, "send_for_signature"));
		frm.change_custom_button_type(__("Send for Signature"), null, "primary");
	}
	for (const side of state.may_sign) {
		const label = { Marketing: __("Sign for Marketing"), Sales: __("Sign for Sales") }[side];
		add(label, () => sign(frm, side));
		frm.change_custom_button_type(label, null, "primary");
	}
	if (state.may_read) add(__("I Have Read It"), () => call(frm, "confirm_read"));
	if (frm.has_perm("write") && frappe.model.can_create(frm.doctype)) {
		add(__("New Version"), () => make_new_version(frm));
	}
}

function sign(frm, side) {
	const question = {
		Marketing: __("Sign {0} for marketing, with your name and the present time?"),
		Sales: __("Sign {0} for sales, with your name and the present time?"),
	}[side];
	confirm(fill(question, bold(frm.doc.title)), () => call(frm, "sign", { side }));
}

async function call(frm, method, args) {
	// what is signed or read is what is saved
	if (!(await document_of(frm))) return;
	if (frm.is_dirty()) {
		frappe.msgprint(__("Save or discard your changes first."));
		return;
	}
	await call_document(frm, method, args);
	await frm.reload_doc();
}

function readers_html(people) {
	if (!people.length) {
		const words = __(
			"No user has one of the two roles yet. They are set in Lead Quality Settings; assign them to your users.",
		);
		return html`<p class="text-muted">${words}</p>`;
	}
	const sides = { Marketing: __("Marketing"), Sales: __("Sales") };
	const rows = people.map(({ full_name, side, has_read, read_on }) => {
		const when = read_on ? frappe.datetime.str_to_user(read_on) : __("signed");
		const pill = has_read
			? html`<span class="indicator-pill green">${__("read")}</span> <span class="text-muted">${when}</span>`
			: html`<span class="indicator-pill orange">${__("not read yet")}</span>`;
		return html`<tr><td>${full_name}</td><td>${sides[side]}</td><td>${pill}</td></tr>`;
	});
	return html`<table class="table table-sm"><tbody>${rows}</tbody></table>`;
}
