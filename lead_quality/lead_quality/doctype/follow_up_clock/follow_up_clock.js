frappe.ui.form.on("Follow Up Clock", {
	refresh(frm) {
		const { lead, unit, reference_doctype, reference_name } = frm.doc;
		const [label, colour] = lead_quality.clock_indicator(frm.doc);
		frm.page.set_indicator(label, colour);
		frm.disable_save();
		// a working day is no 24 hours
		const options = { hide_days: (unit || "").startsWith("Working") };
		for (const fieldname of ["elapsed_seconds", "paused_seconds"]) {
			frm.get_docfield(fieldname).formatter = (value) =>
				value ? frappe.utils.get_formatted_duration(value, options) : "";
			frm.refresh_field(fieldname);
		}
		frm.page.set_primary_action(__("Open Lead"), () => frappe.set_route("Form", "Lead", lead));
		if (reference_doctype !== "Lead Handover") return;
		frm.add_custom_button(__("Open Handover"), () =>
			frappe.set_route("Form", reference_doctype, reference_name),
		);
	},
});
