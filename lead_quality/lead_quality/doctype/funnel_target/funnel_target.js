frappe.ui.form.on("Funnel Target", {
	setup(frm) {
		frm.set_query("source", () => "lead_quality.funnel.origins.get_sources");
	},
});
