// The form of a Qualification Checklist: its definition in words, and what can be made of it.

import { ask } from "../desk/dialogs.js";
import { call_document, document_of, save_first } from "../desk/form.js";
import { offer_lead_fields } from "../desk/lead_fields.js";
import { requalify } from "../desk/requalify.js";
import { bold, fill, html } from "../engine/markup.js";

const paragraph = (words, css = "") => String(html`<p class="${css}">${words}</p>`);

export const qualification_checklist_form = {
	refresh(frm) {
		// what is no field of the Lead, but is told from it: `FACTS` in qualification/facts.py
		const facts = [{ value: "reachable", label: __("Reachable: a valid phone number or e-mail") }];
		offer_lead_fields(frm, "criteria", "lead_field", undefined, facts);
		offer_criteria(frm);
		if (frm.is_new()) return;
		say_in_words(frm);
		requalify.show_in(frm.layout.wrapper, frm.doc.name, () => frm.reload_doc());
		if (!frm.has_perm("write")) return;
		if (frm.doc.__onload?.older?.length) {
			frm.add_custom_button(__("Move Leads Under Way Here"), () => move_leads(frm));
		}
		// the server works with what is stored, so that is brought up to date first
		const saved = async (action) => (await save_first(frm)) && action(frm);
		if (frm.doc.status === "Draft") {
			frm.add_custom_button(
				__("Fields for Web Form and Import"),
				() => saved(make_fields),
				__("Web Form and Import"),
			);
		}
		frm.add_custom_button(__("Make a Web Form"), () => saved(make_web_form), __("Web Form and Import"));
	},
	rules_on_form_rendered: (frm) => offer_criteria(frm),
};

export const qualification_criterion_row = {
	criterion: (frm) => offer_criteria(frm),
	label: (frm) => offer_criteria(frm),
	criteria_remove: (frm) => offer_criteria(frm),
};

function offer_criteria(frm) {
	const options = (frm.doc.criteria || [])
		.filter((row) => row.criterion)
		.map((row) => ({ value: row.criterion, label: row.label || row.criterion }));
	frm.fields_dict.rules.grid.update_docfield_property("criterion", "options", options);
}

// what has been set up, in words that need no knowledge of the table below
function say_in_words(frm) {
	const { definition, criteria = [], rules = [] } = frm.doc.__onload || {};
	if (!definition) return;
	const lines = [...criteria, ...rules].map((line) => html`<li>${line}</li>`);
	frm.set_intro(
		String(html`<div class="lq-in-words">${bold(definition)}<ul class="mb-0 pl-4">${lines}</ul></div>`),
		"blue",
	);
}

async function move_leads(frm) {
	if (!(await document_of(frm))) return;
	const older = frm.doc.__onload?.older || [];
	if (!older.length) return;
	const title = ({ name, leads }) => __("{0}, leads under way: {1}", [name, format_number(leads, null, 0)]);
	const effect = fill(
		__(
			"Their leads use {0} from now on. Answers to criteria with the same key are kept; the others are dropped. All leads are requalified in the background.",
		),
		bold(frm.doc.name),
	);
	ask({
		title: __("Move Leads Under Way Here"),
		fields: [
			{
				fieldtype: "Select",
				fieldname: "move_from",
				label: __("From"),
				options: older.map((version) => ({ value: version.name, label: title(version) })),
				default: older[0].name,
				reqd: 1,
			},
			{ fieldtype: "HTML", options: paragraph(effect) },
		],
		label: __("Move"),
		submit: ({ move_from }) => requalify.start({ move_from, move_to: frm.docname }),
	});
}

function make_fields(frm) {
	const open = frm.doc.criteria.filter((row) => !row.lead_field);
	if (!open.length) {
		frappe.msgprint(
			__(
				"Every criterion has a Lead field already. Make a web form now, or import leads with these columns.",
			),
		);
		return;
	}
	ask({
		title: __("Fields for Web Form and Import"),
		fields: [
			{
				fieldtype: "HTML",
				options: paragraph(
					__(
						"Each of these becomes a field of the Lead. Values from a web form or an import answer the criterion, and the lead is qualified at once.",
					),
				),
			},
			{
				fieldtype: "MultiCheck",
				fieldname: "criteria",
				sort_options: false,
				options: open.map((row) => ({
					label: question_of(row),
					value: row.criterion,
					checked: !row.confidential && !row.per_contact,
				})),
			},
			{
				fieldtype: "HTML",
				options: paragraph(
					__(
						"Every user who sees a lead sees these fields, including those of confidential criteria. Visitors answer for themselves what is asked of each contact.",
					),
					"text-muted small",
				),
			},
		],
		label: __("Make Fields"),
		async submit({ criteria = [] }) {
			if (!criteria.length) {
				frappe.show_alert(__("Tick at least one criterion."));
				return Promise.reject();
			}
			return call_document(
				frm,
				"make_fields",
				{ criteria },
				{ freeze_message: __("Making the fields …") },
			);
		},
		async done(fields) {
			if (!fields) return;
			await frm.reload_doc();
			// so that a lead that is opened next has them
			frappe.model.clear_doc?.("DocType", "Lead");
			frappe.msgprint({
				title: __("Fields Made"),
				indicator: "green",
				message: __(
					"{0} fields of the Lead answer criteria now. Activate the checklist and choose it on a Lead Segment; then make a web form, or import leads with the questions as column titles.",
					[fields.length],
				),
			});
		},
	});
}

// what the field is going to be called, with a hint why it is not ticked; as HTML, which the control takes it for
function question_of(row) {
	const hints = [row.confidential && __("confidential"), row.per_contact && __("asked of each contact")];
	const hint = hints.filter(Boolean).join(", ");
	const question = row.guidance_web_form || row.label;
	return String(html`${hint ? `${question} (${hint})` : question}`);
}

function make_web_form(frm) {
	ask({
		title: __("Make a Web Form"),
		fields: [
			{
				fieldtype: "Data",
				fieldname: "title",
				label: __("Title"),
				description: __("Visitors read it above the form."),
				default: frm.doc.title,
				reqd: 1,
			},
			{
				fieldtype: "Link",
				fieldname: "source",
				label: __("Source of These Leads"),
				options: frm.doc.__onload?.source_doctype,
				description: __("A Lead Segment whose rules ask for this source takes them."),
			},
		],
		label: __("Make"),
		submit: ({ title, source }) => call_document(frm, "make_web_form", { title, source }),
		async done(form) {
			if (!form) return;
			const may_publish = frappe.model.can_write("Web Form");
			if (may_publish) await frappe.set_route("Form", "Web Form", form.name);
			frappe.msgprint({
				title: __("Web Form Made"),
				indicator: "green",
				message: String(web_form_in_words(form, may_publish)),
			});
		},
	});
}

function web_form_in_words({ name, left_out }, may_publish) {
	const publish = may_publish
		? __("It is not published yet: review it, then publish it.")
		: fill(__("{0} is not published yet: ask a Website Manager to publish it."), bold(name));
	return html`<p>${publish} ${__("Each lead that comes in through it is qualified at once.")}</p>
		${
			left_out.length > 0 &&
			html`<p>${__("Not asked, because they have no Lead field that a visitor could fill in:")}</p>
			<ul>${left_out.map((label) => html`<li>${label}</li>`)}</ul>`
		}`;
}
