frappe.listview_settings["Follow Up Clock"] = {
	add_fields: ["status", "warn_at", "due_at"],
	// overdue from the deadline on, whether or not a job has run since
	get_indicator(doc) {
		const now = frappe.datetime.system_datetime();
		if (doc.status === "Running" && moment(doc.due_at).isBefore(now)) {
			return [__("Overdue"), "red", "status,=,Running"];
		}
		if (doc.status === "Running" && doc.warn_at && moment(doc.warn_at).isBefore(now)) {
			return [__("Warning"), "orange", "status,=,Running"];
		}
		const colours = { Running: "blue", Paused: "gray", Met: "green", Missed: "red", Cancelled: "gray" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
