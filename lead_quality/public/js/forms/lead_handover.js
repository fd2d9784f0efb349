// The form and the list of handovers: who receives one, answers it there.

import { deadline } from "../desk/deadlines.js";
import { ask, refused } from "../desk/dialogs.js";
import { may_read } from "../desk/form.js";
import { arrive_at_queue, name_with_priority, order_by } from "../desk/order.js";
import { ask_reasons } from "../desk/reasons.js";
import { HANDOVER } from "../engine/colours.js";
import { html, trusted } from "../engine/markup.js";

export const lead_handover_form = {
	refresh(frm) {
		const { doc } = frm;
		frm.page.set_indicator(__(doc.status), HANDOVER[doc.status] || "gray");
		frm.disable_save();
		frm.add_custom_button(__("Open Lead"), () => frappe.set_route("Form", "Lead", doc.lead));
		// the server has escaped what stands in it
		frm.get_field("dossier_html").$wrapper.html(String(trusted(doc.dossier)));
		const { may_decide, away } = doc.__onload || {};
		if (away && doc.status === "Sent") frm.dashboard.add_comment(String(html`${away}`), "orange", true);
		if (!may_decide) return;
		if (doc.status === "Sent") offer_to_answer(frm);
		if (doc.status === "Accepted") offer_to_go_on(frm);
	},
};

function offer_to_answer(frm) {
	frm.page.set_primary_action(__("Accept"), () => answer(frm, "accept_handover", {}).catch(refused));
	frm.add_custom_button(__("Reject"), () => decline(frm, "reject_handover", "Reject").catch(refused));
	if (!frm.doc.accept_by) return;
	const left = deadline({ due_at: frm.doc.accept_by });
	frm.dashboard.add_comment(String(html`${__("To be answered:")} ${left}`), "yellow", true);
}

function offer_to_go_on(frm) {
	frm.page.set_primary_action(__("Create Opportunity"), () =>
		frappe.model.open_mapped_doc({
			method: "erpnext.crm.doctype.lead.lead.make_opportunity",
			source_name: frm.doc.lead,
		}),
	);
	frm.add_custom_button(__("Return"), () => decline(frm, "return_handover", "Return").catch(refused));
}

async function answer(frm, method, args) {
	const { doctype, docname } = frm;
	// Whoever has given a lead back may not be allowed to see it any more, nor its handover. So Frappe does not load the
	// form anew by itself, as after its own saves.
	frappe.ui.form.is_saving = true;
	try {
		await frappe.call({
			method: `lead_quality.api.${method}`,
			args: { handover: docname, ...args },
			freeze: true,
		});
		if (await may_read(doctype, docname)) return frm.reload_doc();
		frappe.show_alert({ message: __("The lead is given back."), indicator: "green" });
		frappe.model.clear_doc(doctype, docname);
		await frappe.set_route("List", doctype);
	} finally {
		frappe.ui.form.is_saving = false;
	}
}

async function decline(frm, method, purpose) {
	const { field: reason } = await ask_reasons(frm.doc.lead, purpose, __("Reason"));
	ask({
		title: __(purpose),
		fields: [
			reason,
			{
				fieldname: "feedback",
				fieldtype: "Small Text",
				label: __("What should marketing know?"),
			},
		],
		label: __(purpose),
		submit: (values) => answer(frm, method, values),
	});
}

export const lead_handover_list = {
	add_fields: ["lead_priority"],
	formatters: { lead_name: name_with_priority },
	get_indicator: ({ status }) => [__(status), HANDOVER[status], `status,=,${status}`],

	onload(list) {
		// of what is due at the same time, what is worth more comes first, then the likeliest, then what waits longest
		order_by(list, {
			first: { lead_priority: "desc" },
			ties: {
				accept_by: [
					["expected_value", "desc"],
					["lead_priority", "desc"],
					["sent_at", "asc"],
				],
				lead_priority: [
					["accept_by", "asc"],
					["sent_at", "asc"],
				],
			},
		});
		arrive_at_queue(list, "Sent", "accept_by");
	},
};
