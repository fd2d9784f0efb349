frappe.listview_settings["Lead Segment"] = {
	...frappe.listview_settings["Lead Segment"],
	add_fields: ["enabled"],
	get_indicator(doc) {
		const broken = frappe.listview_settings["Lead Segment"].broken || [];
		if (broken.includes(doc.name)) return [__("Rule asks for a missing field"), "red", ""];
		return doc.enabled ? [__("Enabled"), "green", "enabled,=,1"] : [__("Disabled"), "gray", "enabled,=,0"];
	},
	async refresh(listview) {
		lead_quality.requalify.show_in(listview.page.main, "list", () => listview.refresh());
		const settings = frappe.listview_settings["Lead Segment"];
		const broken = await frappe.xcall(
			"lead_quality.lead_quality.doctype.lead_segment.lead_segment.get_broken_segments",
		);
		if (String(broken) !== String(settings.broken || [])) {
			settings.broken = broken;
			listview.render_list();
		}
	},
};
