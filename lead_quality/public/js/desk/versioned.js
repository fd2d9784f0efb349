// Forms of documents that are changed by a new version.

import { VERSION } from "../engine/colours.js";
import { bold, fill, html } from "../engine/markup.js";
import { refused, submit } from "./dialogs.js";
import { call_document, save_first } from "./form.js";

export const versioned_form = {
	refresh(frm) {
		frm.page.set_indicator(__(frm.doc.status), VERSION[frm.doc.status]);
		// it changes by the buttons, which say first what comes of it
		frm.set_df_property("status", "read_only", 1);
		if (frm.is_new() || !frm.has_perm("write")) return;
		frm.add_custom_button(__("New Version"), () => make_new_version(frm).catch(refused));
		if (frm.doc.status === "Draft") {
			frm.add_custom_button(__("Activate"), () => activate(frm, __("Activate")).catch(refused));
		}
		if (frm.doc.status === "Superseded") {
			frm.add_custom_button(__("Back to This Version"), () =>
				activate(frm, __("Back to This Version")).catch(refused),
			);
		}
	},
};

export async function make_new_version(frm) {
	const copy = await call_document(frm, "make_new_version");
	if (copy) frappe.set_route("Form", frm.doctype, copy.name);
}

// Nobody changes what others work by without having read what that means.
async function activate(frm, label) {
	if (!(await save_first(frm))) return;
	const effect = await call_document(frm, "preview_activation");
	if (!effect) return;
	const dialog = new frappe.ui.Dialog({
		title: __("Activate {0}?", [frm.doc.name]),
		fields: [
			{ fieldtype: "HTML", fieldname: "effect", options: String(effect_html(frm.doc.name, effect)) },
		],
		primary_action_label: label,
		primary_action: () =>
			submit(
				dialog,
				() => call_document(frm, "activate"),
				() => frm.reload_doc(),
			),
	});
	dialog.show();
}

const figure = (count) => format_number(count, null, 0);
const list = (lines) => html`<ul class="pl-4">
	${lines.map((line) => html`<li>${line}</li>`)}
</ul>`;

// `replaces`: the version in force now, if there is one; `segments` that go over to this one; `leads` under way, which
// keep the version they began with; `changes` and `warnings` are sentences.
export function effect_html(name, { replaces, segments, leads, changes, warnings }) {
	const lines = [
		replaces
			? fill(__("{0} takes the place of {1}."), bold(name), bold(replaces))
			: fill(__("{0} comes into force."), bold(name)),
		segments.length
			? fill(__("Segments that use it from now on: {0}."), bold(segments.join(", ")))
			: __("No segment uses it yet: choose it on a Lead Segment."),
		leads > 0 &&
			fill(
				__("Leads under way, which stay on the version they started with: {0}."),
				bold(figure(leads)),
			),
	];
	return html`<div data-effect>
		${list(lines.filter(Boolean))}
		${
			changes.length
				? html`<p class="mb-1">
						<b>${replaces ? fill(__("What changes against {0}:"), replaces) : __("What it says:")}</b>
					</p>
					${list(changes)}`
				: replaces && html`<p>${fill(__("It has the same content as {0}."), replaces)}</p>`
		}
		${warnings.length > 0 && html`<div class="form-message orange p-3" data-warnings>${list(warnings)}</div>`}
	</div>`;
}
