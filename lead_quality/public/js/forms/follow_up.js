// The forms and lists of what the follow-up leaves behind: clocks, alerts and runs. They are read, not changed.

import { clock_indicator } from "../desk/deadlines.js";
import { show_alarm } from "../desk/health_banner.js";
import { element } from "../desk/dialogs.js";
import { name_with_priority, order_by } from "../desk/order.js";
import { ALERT, RUN } from "../engine/colours.js";
import { html, trusted } from "../engine/markup.js";

const open_lead = (lead) => frappe.set_route("Form", "Lead", lead);

export const follow_up_clock_form = {
	refresh(frm) {
		const { lead, unit, reference_doctype, reference_name } = frm.doc;
		const [label, colour] = clock_indicator(frm.doc);
		frm.page.set_indicator(label, colour);
		frm.disable_save();
		// a working day is no 24 hours
		const options = { hide_days: (unit || "").startsWith("Working") };
		for (const fieldname of ["elapsed_seconds", "paused_seconds"]) {
			frm.get_docfield(fieldname).formatter = (value) =>
				value ? frappe.utils.get_formatted_duration(value, options) : "";
			frm.refresh_field(fieldname);
		}
		frm.page.set_primary_action(__("Open Lead"), () => open_lead(lead));
		if (reference_doctype !== "Lead Handover") return;
		frm.add_custom_button(__("Open Handover"), () =>
			frappe.set_route("Form", reference_doctype, reference_name),
		);
	},
};

export const follow_up_clock_list = {
	add_fields: [
		"status",
		"warn_at",
		"due_at",
		"started_at",
		"stopped_at",
		"paused_until",
		"missed_by_system",
		"lead",
		"lead_priority",
	],
	formatters: { lead_name: name_with_priority },
	hide_name_column: true,
	get_indicator: (doc) => clock_indicator(doc),

	onload(list) {
		// the deadline rules; of what is due at the same time, the likeliest first, then what has run longest
		order_by(list, {
			first: { lead_priority: "desc" },
			ties: {
				due_at: [
					["lead_priority", "desc"],
					["started_at", "asc"],
				],
				lead_priority: [["due_at", "asc"]],
			},
		});
	},
};

export const nurture_enrollment_list = {
	add_fields: ["lead_priority"],
	formatters: { lead_name: name_with_priority },

	onload(list) {
		order_by(list, {
			first: { lead_priority: "desc", next_due_at: "asc" },
			ties: {
				next_due_at: [["lead_priority", "desc"]],
				lead_priority: [["next_due_at", "asc"]],
			},
		});
	},
};

export const follow_up_alert_form = {
	async refresh(frm) {
		const { kind, lead, follow_up_clock, by_system } = frm.doc;
		frm.page.set_indicator(__(kind), ALERT[kind]);
		frm.disable_save();
		if (by_system) {
			frm.set_intro(
				__(
					"The system was not running at the deadline, and nobody had been notified: it counts against nobody.",
				),
				"blue",
			);
		}
		frm.page.set_primary_action(__("Open Lead"), () => open_lead(lead));
		if (frm.doc.clock !== "Handover Acceptance" || !follow_up_clock) return;
		// what is waited for is done on the handover's own form
		const { message } = await frappe.db.get_value("Follow Up Clock", follow_up_clock, "reference_name");
		if (!message?.reference_name || frm.doc.follow_up_clock !== follow_up_clock) return;
		frm.add_custom_button(__("Open Handover"), () =>
			frappe.set_route("Form", "Lead Handover", message.reference_name),
		);
	},
};

export const follow_up_alert_list = {
	add_fields: ["kind", "lead", "lead_name"],
	hide_name_column: true,
	get_indicator: ({ kind }) => [__(kind), ALERT[kind], `kind,=,${kind}`],
	button: {
		show: () => true,
		get_label: () => __("Open Lead"),
		// Frappe puts it into an attribute as it comes
		get_description: (doc) => String(html`${__("Open {0}", [doc.lead_name || doc.lead])}`),
		action: (doc) => open_lead(doc.lead),
	},
};

export const follow_up_run_list = {
	add_fields: ["status", "outage_from"],
	get_indicator({ status, outage_from }) {
		// it did its work, but nothing had run for a while before
		if (status === "Completed" && outage_from) return [__("Late"), "orange", "outage_from,is,set"];
		return [__(status), RUN[status], `status,=,${status}`];
	},
	refresh(list) {
		show_alarm((words) => {
			list.$frappe_list.find(".lq-alarm").remove();
			list.$frappe_list.prepend(
				element(html`<div class="lq-alarm form-message red p-3">${trusted(words)}</div>`),
			);
		});
	},
};
