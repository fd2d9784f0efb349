frappe.listview_settings["Follow Up Clock"] = {
	add_fields: [
		"status",
		"warn_at",
		"due_at",
		"started_at",
		"stopped_at",
		"paused_until",
		"missed_by_system",
		"lead",
	],
	hide_name_column: true,
	get_indicator: (doc) => lead_quality.clock_indicator(doc),
};
