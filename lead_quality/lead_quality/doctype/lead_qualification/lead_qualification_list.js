frappe.listview_settings["Lead Qualification"] = {
	add_fields: ["verdict"],
	get_indicator(doc) {
		const colours = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };
		return [__(doc.verdict), colours[doc.verdict], `verdict,=,${doc.verdict}`];
	},
};
