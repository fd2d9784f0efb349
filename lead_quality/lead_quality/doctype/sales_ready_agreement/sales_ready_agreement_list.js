frappe.listview_settings["Sales Ready Agreement"] = {
	get_indicator(doc) {
		const colours = { Draft: "gray", "Awaiting Signature": "orange", Active: "green", Superseded: "gray" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
