{% include "lead_quality/public/js/health_banner.js" %}

frappe.ui.form.on("Lead Quality Settings", {
	refresh(frm) {
		lead_quality.health.banner((words) => frm.set_intro(words, "red"));
	},
});
