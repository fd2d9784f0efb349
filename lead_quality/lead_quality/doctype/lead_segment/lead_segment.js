frappe.ui.form.on("Lead Segment", {
	setup(frm) {
		for (const fieldname of ["checklist", "cadence"]) {
			frm.set_query(fieldname, () => ({ filters: { status: "Active" } }));
		}
	},
	refresh: (frm) => lead_quality.offer_lead_fields(frm, "rules", "field"),
});
