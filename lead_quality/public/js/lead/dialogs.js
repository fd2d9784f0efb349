// What the buttons of a lead's panel ask before they act. A dialog stays open with what was typed until the server agrees.

import { ask, refused, submit } from "../desk/dialogs.js";
import { ask_reasons } from "../desk/reasons.js";
import { state_of_clock } from "../desk/deadlines.js";
import { html, trusted } from "../engine/markup.js";
import { effect_of_snooze_html } from "./panel_html.js";
import { effect_of_snooze, snooze_picks } from "./words.js";

const options_of = (doctype, fieldname) =>
	frappe.meta.get_docfield(doctype, fieldname).options.split("\n").filter(Boolean);

export function log_touch(panel) {
	frappe.model.with_doctype("Lead Touch", () => {
		ask({
			title: __("Log a Touch"),
			fields: [
				{
					fieldname: "channel",
					fieldtype: "Select",
					label: __("Channel"),
					options: options_of("Lead Touch", "channel"),
					default: panel.data.next_touch?.channel || "Phone",
					reqd: 1,
				},
				{
					fieldname: "outcome",
					fieldtype: "Select",
					label: __("Outcome"),
					options: ["", ...options_of("Lead Touch", "outcome")],
					mandatory_depends_on: "eval:doc.channel=='Phone'",
				},
				{ fieldtype: "Column Break" },
				{
					fieldname: "direction",
					fieldtype: "Select",
					label: __("Direction"),
					options: options_of("Lead Touch", "direction"),
					default: "Outbound",
					reqd: 1,
				},
				{
					fieldname: "done_at",
					fieldtype: "Datetime",
					label: __("When"),
					description: __("Empty: just now"),
				},
				{ fieldtype: "Section Break" },
				{ fieldname: "note", fieldtype: "Small Text", label: __("Note") },
			],
			label: __("Log"),
			submit: (values) => panel.log_touch(values),
		});
	});
}

export function opt_out(panel) {
	frappe.model.with_doctype("Contact Opt Out", () => {
		const meanings = {
			Manual: __("They said so"),
			Unsubscribed: __("They unsubscribed"),
			Bounced: __("The address or number does not work"),
			Complaint: __("They complained"),
		};
		ask({
			title: __("Wants No…"),
			fields: [
				{
					fieldname: "channel",
					fieldtype: "Select",
					label: __("Which contact is not wanted?"),
					options: options_of("Contact Opt Out", "channel").map((channel) => ({
						value: channel,
						label: channel === "All" ? __("Any contact at all") : __(channel),
					})),
					default: panel.data.next_touch?.channel || "All",
					reqd: 1,
				},
				{
					fieldname: "reason",
					fieldtype: "Select",
					label: __("Why?"),
					options: options_of("Contact Opt Out", "reason").map((reason) => ({
						value: reason,
						label: meanings[reason] || __(reason),
					})),
					default: "Manual",
					reqd: 1,
				},
				{
					fieldtype: "HTML",
					options: String(
						html`<p class="small text-muted mb-0">
							${__("It applies to this person everywhere, including other leads with the same address or number.")}
						</p>`,
					),
				},
			],
			label: __("Record"),
			submit: (values) => panel.call("opt_out", values),
		});
	});
}

export async function snooze(panel) {
	const { field: reason } = await ask_reasons(panel.lead, "Snooze", __("Why?"));
	const effect = effect_of_snooze(panel.data.clocks, (clock) => state_of_clock(clock) === "Overdue");
	const dialog = ask({
		title: __("Snooze"),
		fields: [
			{ fieldname: "picks", fieldtype: "HTML" },
			{
				fieldname: "until",
				fieldtype: "Datetime",
				label: __("Until"),
				reqd: 1,
				min_date: new Date(),
			},
			reason,
			{
				fieldname: "effect",
				fieldtype: "HTML",
				options: String(effect_of_snooze_html(panel.data.next_touch.step, effect)),
			},
		],
		label: __("Snooze"),
		submit: ({ until, reason }) => panel.call("snooze", { until, reason }),
	});
	const { closed_days } = panel.data.next_touch;
	const picks = snooze_picks(moment(frappe.datetime.now_datetime()), closed_days).map(
		([label, day]) => html`<button
			class="btn btn-xs btn-default"
			data-until="${day.format(frappe.defaultDatetimeFormat)}"
		>${label} <span class="text-muted">${day.format("ddd D MMM")}</span></button>`,
	);
	dialog.fields_dict.picks.$wrapper
		.html(String(html`<div class="d-flex flex-wrap mb-3" style="gap: 6px">${picks}</div>`))
		.on("click", "[data-until]", (event) =>
			dialog.set_value(
				"until",
				frappe.datetime.convert_to_system_tz(event.currentTarget.dataset.until),
			),
		);
}

export async function disqualify(panel) {
	const decide = (decision) => {
		const values = dialog.get_values();
		if (!values) return;
		if (decision === "Disqualified") delete values.nurture_until;
		submit(dialog, () => panel.call("qualify", { decision, ...values }));
	};
	// a reason that says "later" is no reason to lose the lead
	const propose = (later) => {
		dialog.set_df_property("nurture_until", "hidden", !later);
		dialog.set_df_property("nurture_until", "reqd", later);
		if (later && !dialog.get_value("nurture_until")) {
			dialog.set_value("nurture_until", panel.data.rest_until);
		}
		if (!later) dialog.set_value("nurture_until", null);
		dialog.set_primary_action(later ? __("Nurture until then") : __("Disqualify"), () =>
			decide(later ? "Nurture" : "Disqualified"),
		);
		dialog.set_secondary_action_label(__("Disqualify anyway"));
		dialog.get_secondary_btn().toggleClass("hide", !later);
	};
	const { reasons, field } = await ask_reasons(panel.lead, "Disqualify", __("Why is this not a lead?"), {
		fieldname: "outcome_reason",
		change: () => {
			const chosen = reasons.find(({ name }) => name === dialog.get_value("outcome_reason"));
			propose(Boolean(chosen?.proposes_nurture));
		},
	});
	const dialog = new frappe.ui.Dialog({
		title: __("Disqualify"),
		fields: [
			field,
			{
				fieldname: "nurture_until",
				fieldtype: "Date",
				label: __("Nurture until"),
				description: __("On this day the lead is open again."),
				min_date: new Date(),
				hidden: 1,
			},
		],
		secondary_action: () => decide("Disqualified"),
	});
	propose(false);
	dialog.show();
}

// `message` is HTML of the server's, which names what is missing for a document of this kind.
export function not_ready(panel, doctype, message) {
	const dialog = new frappe.ui.Dialog({
		title: __("Not Sales Ready"),
		fields: [{ fieldtype: "HTML", options: String(html`<p>${trusted(message)}</p>`) }],
		primary_action_label: __("Qualify"),
		primary_action: () => {
			dialog.hide();
			panel.open_qualification().catch(refused);
		},
	});
	if (panel.data?.may_override.includes(doctype)) {
		dialog.set_secondary_action(() => {
			dialog.hide();
			override(panel, doctype).catch(refused);
		});
		dialog.set_secondary_action_label(__("Override…"));
	}
	dialog.show();
}

// Leave is for one document of one kind, by default the one that was refused.
export async function override(panel, doctype) {
	const { field: reason } = await ask_reasons(panel.lead, "Override", __("Why may it be made now?"));
	ask({
		title: __("Override the Gate for One Document"),
		fields: [
			{
				fieldname: "doctype",
				fieldtype: "Select",
				label: __("What may be made from this lead?"),
				options: panel.data.may_override.map((value) => ({ value, label: __(value) })),
				default: doctype || panel.data.may_override[0],
				reqd: 1,
			},
			reason,
			{ fieldname: "note", fieldtype: "Small Text", label: __("Note") },
		],
		label: __("Override"),
		submit: (values) => panel.call("override_gate", values),
	});
}

export function hand_over(panel) {
	ask({
		title: __("Hand Over"),
		fields: [
			{
				fieldname: "to_user",
				fieldtype: "Link",
				options: "User",
				label: __("Who takes it over?"),
				reqd: 1,
				get_query: () => ({ query: "lead_quality.desk.search.receivers" }),
			},
			{ fieldname: "expected_value", fieldtype: "Currency", label: __("Expected Value") },
			{
				fieldname: "note",
				fieldtype: "Small Text",
				label: __("What should they know?"),
			},
		],
		label: __("Hand Over"),
		submit: (values) => panel.call("send_handover", values),
	});
}
