frappe.listview_settings["Follow Up Alert"] = {
	add_fields: ["kind", "lead", "lead_name"],
	hide_name_column: true,
	get_indicator(doc) {
		const colours = { Warning: "orange", Missed: "red", Escalation: "purple", Unattended: "yellow" };
		return [__(doc.kind), colours[doc.kind], `kind,=,${doc.kind}`];
	},
	button: {
		show: () => true,
		get_label: () => __("Open Lead"),
		get_description: (doc) => __("Open {0}", [doc.lead_name || doc.lead]),
		action: (doc) => frappe.set_route("Form", "Lead", doc.lead),
	},
};
