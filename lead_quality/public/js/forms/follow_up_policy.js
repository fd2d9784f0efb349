// The form of a Follow Up Policy, which says in words what will happen, as it is typed.

import { element } from "../desk/dialogs.js";
import { bold, fill, html } from "../engine/markup.js";
import { clocks_of, NEEDS, step_in_words, target_in_words, who_is_told } from "../engine/policy.js";

export const follow_up_policy_form = {
	setup(frm) {
		frm.set_query("assignment_rule", "escalations", () => ({ filters: { document_type: "Lead" } }));
		frm.set_query("outcome_reason", "escalations", () => ({
			filters: { applies_to: "Disqualify", proposes_nurture: 1, enabled: 1 },
		}));
		frm.set_query("role", "escalations", () => ({
			filters: { disabled: 0, name: ["not in", ["All", "Guest", "Administrator", "Desk User"]] },
		}));
		frm.set_query("escalate_to", () => ({
			filters: { enabled: 1, name: ["not in", ["Administrator", "Guest"]] },
		}));
	},
	refresh: (frm) => say_in_words(frm),
	working_calendar: (frm) => say_in_words(frm),
	escalate_to: (frm) => say_in_words(frm),
};

const on_change = (fieldnames) =>
	Object.fromEntries(fieldnames.map((fieldname) => [fieldname, (frm) => say_in_words(frm)]));

export const follow_up_target_row = on_change([
	"clock",
	"within",
	"unit",
	"warn_at_percent",
	"targets_add",
	"targets_remove",
]);

export const follow_up_escalation_row = {
	...on_change(["clock", "after", "unit", "role", "assignment_rule", "outcome_reason"]),
	...on_change(["escalations_add", "escalations_remove"]),
	action(frm, doctype, name) {
		say_in_words(frm);
		// what the action needs is in the row's own form, where there is room for it
		const needed = NEEDS[frappe.get_doc(doctype, name).action];
		const row = frm.fields_dict.escalations.grid.get_row(name);
		if (!needed || frappe.get_doc(doctype, name)[needed] || row.grid_form?.is_open) return;
		row.toggle_view(true);
	},
};

function say_in_words(frm) {
	const { escalations = [], escalate_to, working_calendar } = frm.doc;
	const clocks = clocks_of(frm.doc);
	frm.$lead_quality_words?.remove();
	if (!clocks.length) return;
	const has_ladder = escalations.some((step) => step.action);
	frm.$lead_quality_words = element(html`
		<div class="lq-in-words form-message blue small mb-4" style="white-space: normal">
			${clocks.map(clock_html)}
			<div>
				${working_calendar && fill(__("Working time is that of {0}."), bold(working_calendar))}
				${
					has_ladder &&
					escalate_to &&
					fill(
						__("If nobody can be notified, for example without a manager: {0}."),
						bold(name_of(frm, escalate_to)),
					)
				}
			</div>
		</div>`);
	frm.fields_dict.escalations.$wrapper.after(frm.$lead_quality_words);
}

function clock_html({ clock, target, steps }) {
	const who = who_is_told(clock);
	const sentences = [
		fill(__("When it is missed, {0} is notified."), who),
		...steps.map((step) => step_in_words(step, who)),
	];
	return html`<div class="mb-2">${bold(__(clock))}: ${target_in_words(target)}
		<ul class="mb-0 pl-4">${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul></div>`;
}

// the server tells the name of whom it has stored
function name_of(frm, user) {
	const { user: stored, full_name } = frm.doc.__onload?.last_resort || {};
	return user === stored ? full_name : frappe.user.full_name(user);
}
