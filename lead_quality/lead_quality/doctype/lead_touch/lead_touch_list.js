frappe.listview_settings["Lead Touch"] = {
	add_fields: ["status", "due_at"],
	get_indicator(doc) {
		if (doc.status === "Planned" && moment(doc.due_at).isBefore(frappe.datetime.system_datetime())) {
			return [__("Overdue"), "red", "status,=,Planned"];
		}
		const colours = { Planned: "blue", Done: "green", Skipped: "gray", Missed: "red", Cancelled: "gray" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
