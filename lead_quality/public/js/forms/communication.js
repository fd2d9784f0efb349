// The form of a mail: a wrong guess at who wrote it is put right here.

import { refused } from "../desk/dialogs.js";

export const communication_form = {
	refresh(frm) {
		const { doc } = frm;
		if (doc.sent_or_received !== "Received" || !doc.lq_read_as) return;
		if (!frappe.model.can_create("Lead Touch")) return;
		if (doc.lq_read_as === "Person") {
			frm.add_custom_button(__("Is Automatic"), () => mark(frm, "mark_as_automatic"));
		} else {
			frm.add_custom_button(__("Is a Reply"), () => mark(frm, "mark_as_reply"));
		}
	},
};

// The touch of a mail that came in: no person has written it.
export const lead_touch_form = {
	refresh(frm) {
		const { direction, status, communication } = frm.doc;
		if (direction === "Inbound" && status === "Done" && communication) {
			frm.add_custom_button(__("Is Automatic"), () => mark(frm, "mark_as_automatic", communication));
		}
	},
};

function mark(frm, method, communication = frm.doc.name) {
	return frappe
		.xcall(`lead_quality.api.${method}`, { communication })
		.then(() => frm.reload_doc())
		.catch(refused);
}
