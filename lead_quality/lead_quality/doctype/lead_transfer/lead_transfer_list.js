frappe.listview_settings["Lead Transfer"] = {
	get_indicator(doc) {
		const colours = { Queued: "gray", Running: "blue", Completed: "green", Failed: "red" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
