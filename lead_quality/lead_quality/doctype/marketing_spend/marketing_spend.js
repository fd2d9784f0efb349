frappe.ui.form.on("Marketing Spend", {
	setup(frm) {
		frm.set_query("source", () => "lead_quality.funnel.origins.get_sources");
		frm.set_query("campaign", () => "lead_quality.funnel.origins.get_campaigns");
	},
});
