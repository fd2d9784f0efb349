frappe.ui.form.on("Qualification Checklist", {
	refresh: (frm) => lead_quality.offer_lead_fields(frm, "criteria", "lead_field"),
});
