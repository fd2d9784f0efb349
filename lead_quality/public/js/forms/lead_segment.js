// The form and the list of segments: what a change of their rules would do to the leads that there are.

import { confirm, element, refused, submit } from "../desk/dialogs.js";
import { call_document } from "../desk/form.js";
import { offer_lead_fields } from "../desk/lead_fields.js";
import { requalify } from "../desk/requalify.js";
import { bold, fill, html } from "../engine/markup.js";

export const lead_segment_form = {
	setup(frm) {
		for (const fieldname of ["checklist", "cadence"]) {
			frm.set_query(fieldname, () => ({ filters: { status: "Active" } }));
		}
		frm.set_query("expiry_reason", ({ on_expiry }) => ({
			filters: {
				applies_to: "Disqualify",
				enabled: 1,
				...(on_expiry === "Nurture" && { proposes_nurture: 1 }),
			},
		}));
		frm.set_query("value", "rules", (doc, doctype, name) => ({
			query: "lead_quality.desk.search.rule_values",
			params: { field: frappe.get_doc(doctype, name)?.field || "" },
		}));
	},
	on_expiry: (frm) => frm.set_value("expiry_reason", null),
	refresh(frm) {
		offer_lead_fields(frm, "rules", "field");
		// a value is picked from what its field may hold; what none of them is, such as a list, is typed
		const { grid } = frm.fields_dict.rules;
		grid.update_docfield_property("value", "fieldtype", "Autocomplete");
		grid.update_docfield_property("value", "ignore_validation", 1);
		warn_of_rules(frm);
		if (!frm.has_perm("write")) return;
		frm.add_custom_button(__("Try Out"), () => try_out(frm).catch(refused));
		if (frm.is_new()) return;
		if (!frm.is_dirty()) frm.lq_stored = { name: frm.doc.name, rules: rules_of(frm.doc) };
		if (frm.lq_offer?.name !== frm.doc.name) frm.lq_offer = null;
		offer_to_apply(frm);
		offer_old_leads(frm).catch(refused);
		requalify.show_in(frm.layout.wrapper, frm.doc.name);
	},
	before_save(frm) {
		// a new one has taken no leads yet
		frm.lq_before = frm.lq_stored?.name === frm.doc.name ? frm.lq_stored.rules : null;
	},
	async after_save(frm) {
		const { name } = frm.doc;
		if (frm.lq_before === rules_of(frm.doc)) return;
		const tried = await call_document(frm, "try_out");
		if (!tried || frm.doc.name !== name) return;
		frm.lq_offer = tried.change ? { name, ...tried } : null;
		offer_to_apply(frm);
	},
};

export const lead_segment_list = {
	add_fields: ["enabled"],
	get_indicator(doc) {
		const broken = frappe.listview_settings["Lead Segment"].broken || [];
		if (broken.includes(doc.name)) return [__("Rule asks for a missing field"), "red", ""];
		return doc.enabled
			? [__("Enabled"), "green", "enabled,=,1"]
			: [__("Disabled"), "gray", "enabled,=,0"];
	},
	async refresh(list) {
		requalify.show_in(list.page.main, "list", () => list.refresh());
		const settings = frappe.listview_settings["Lead Segment"];
		const broken = await frappe.xcall(
			"lead_quality.lead_quality.doctype.lead_segment.lead_segment.get_broken_segments",
		);
		if (String(broken) === String(settings.broken || [])) return;
		settings.broken = broken;
		list.render_list();
	},
};

// what decides which leads a segment takes
const rules_of = ({ priority, enabled, rules }) =>
	JSON.stringify([
		cint(priority),
		cint(enabled),
		(rules || []).map((rule) => [rule.field, rule.operator, rule.value || ""]),
	]);

const figure = (count) => format_number(count, null, 0);

// A rule that can never hold, or holds for nothing that there is: said before somebody waits for its leads.
function warn_of_rules(frm) {
	const { broken_rules = [], odd_values = [] } = frm.is_new() ? {} : frm.doc.__onload || {};
	if (broken_rules.length) {
		const rules = broken_rules.map(({ idx, field }) =>
			fill(__("Rule {0} asks for a field that Lead no longer has: {1}."), idx, bold(field)),
		);
		const words = __("Until you choose another field, this segment takes no leads.");
		frm.set_intro(String(html`<span>${rules.map((rule) => html`${rule} `)}${words}</span>`), "red");
		frm.page.set_indicator(__("Takes no leads"), "red");
	}
	if (odd_values.length) {
		frm.set_intro(
			String(html`${odd_values.map((words) => html`<div data-odd-value>${words}</div>`)}`),
			"orange",
		);
	}
}

function offer_to_apply(frm) {
	frm.layout.wrapper.find(".lq-offer").remove();
	if (!frm.lq_offer) return;
	const { change, leads } = frm.lq_offer;
	const $offer = element(html`<div class="lq-offer p-3 border-bottom">
		<span class="indicator orange">
			${__("By the segments as they are now, {0} of {1} leads belong in another segment.", [
				figure(change),
				figure(leads),
			])}
		</span>
		<button class="btn btn-default btn-xs ml-2">${__("Apply to Existing Leads")}</button>
	</div>`);
	$offer.find("button").on("click", () => apply(frm));
	frm.layout.wrapper.prepend($offer);
}

// Leads from before the install, and imported ones: nobody is told of them until somebody decides about them here.
async function offer_old_leads(frm) {
	const { name } = frm.doc;
	const count = await frappe.xcall("lead_quality.desk.backlog.waiting", { segment: name });
	if (!count || frm.doc.name !== name) return;
	frm.add_custom_button(__("Take Up Old Leads ({0})", [figure(count)]), () => take_up(frm, count));
}

function take_up(frm, count) {
	const decisions = {
		[__("Watch them: alerts come as for any other lead")]: "Watch",
		[__("Put them on the cadence of this segment")]: "Enroll",
		[__("Disqualify them")]: "Disqualify",
	};
	const labels = Object.keys(decisions);
	const is_disqualify = `eval:doc.decision === ${JSON.stringify(labels[2])}`;
	const dialog = new frappe.ui.Dialog({
		title: __("{0} old leads are waiting for a decision", [figure(count)]),
		fields: [
			{
				fieldtype: "Select",
				fieldname: "decision",
				label: __("What should happen to them?"),
				options: labels.join("\n"),
				default: labels[0],
				reqd: 1,
			},
			{
				fieldtype: "Link",
				fieldname: "reason",
				label: __("Reason"),
				options: "Lead Outcome Reason",
				depends_on: is_disqualify,
				mandatory_depends_on: is_disqualify,
				get_query: () => ({ filters: { applies_to: "Disqualify", enabled: 1 } }),
			},
		],
		primary_action_label: __("Take Up"),
		primary_action: ({ decision, reason }) =>
			submit(
				dialog,
				() =>
					frappe.xcall("lead_quality.desk.backlog.take_up", {
						segment: frm.doc.name,
						decision: decisions[decision],
						reason: decisions[decision] === "Disqualify" ? reason : null,
					}),
				() => frappe.show_alert({ message: __("It runs in the background."), indicator: "green" }),
			),
	});
	dialog.show();
}

async function try_out(frm) {
	const tried = await call_document(frm, "try_out");
	if (!tried) return;
	const may_apply = !frm.is_dirty() && !frm.is_new() && tried.change;
	const dialog = new frappe.ui.Dialog({
		title: __("Try Out: {0}", [frm.doc.title || __("New Segment")]),
		size: "large",
		fields: [{ fieldtype: "HTML", fieldname: "found", options: String(in_words(frm, tried)) }],
		...(may_apply && {
			primary_action_label: __("Apply to Existing Leads"),
			primary_action() {
				dialog.hide();
				apply(frm);
			},
		}),
	});
	dialog.show();
}

function in_words(frm, { leads, match, take, change, moves, examples }) {
	const segment = (name) =>
		name
			? (name === frm.doc.name && frm.doc.title) || name
			: html`<span class="text-muted">${__("none")}</span>`;
	const is_open = frm.is_dirty() || frm.is_new();
	const sentences = [
		fill(__("Would match {0} leads; {1} change segment."), bold(figure(match)), bold(figure(change))),
		__("There are {0} leads in all.", [figure(leads)]),
		!frm.doc.enabled && __("The segment is not enabled: it takes none of them."),
		frm.doc.enabled &&
			take < match &&
			__(
				"{0} of those that match would be in this segment; the others are taken by segments before it.",
				[figure(take)],
			),
		change > 0 && !is_open && __("Nothing has been changed yet."),
		change > 0 &&
			is_open &&
			__("Nothing has been changed yet. Save the segment, then apply it to existing leads."),
	];
	return html`<p>${sentences.map((sentence) => sentence && html`${sentence} `)}</p>
		${
			moves.length > 0 &&
			table(
				[__("From Segment"), __("To Segment"), __("Leads")],
				moves.map((move) => [segment(move.from), segment(move.to), figure(move.leads)]),
			)
		}
		${examples.length > 0 && examples_html(examples, change, segment)}`;
}

const examples_html = (examples, change, segment) => html`
	<h6>${
		examples.length < change
			? __("{0} of the leads that change", [figure(examples.length)])
			: __("The leads that change")
	}</h6>
	${table(
		[__("Lead"), __("From Segment"), __("To Segment")],
		examples.map((lead) => [
			html`<a href="${frappe.utils.get_form_link("Lead", lead.name)}" target="_blank">${lead.title || lead.name}</a>`,
			segment(lead.from),
			segment(lead.to),
		]),
	)}`;

const table = (titles, rows) => html`
	<table class="table table-bordered table-sm">
		<thead><tr>${titles.map((title) => html`<th>${title}</th>`)}</tr></thead>
		<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
	</table>`;

function apply(frm) {
	const question = __(
		"Every lead is assigned to its segment and requalified again, in the background. Running cadences and deadlines are not changed. Continue?",
	);
	confirm(html`${question}`, async () => {
		await requalify.start();
		frm.lq_offer = null;
		offer_to_apply(frm);
	});
}
