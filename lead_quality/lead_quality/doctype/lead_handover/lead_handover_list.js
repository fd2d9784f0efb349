frappe.listview_settings["Lead Handover"] = {
	get_indicator(doc) {
		const colours = {
			Draft: "gray",
			Sent: "orange",
			Accepted: "green",
			Rejected: "red",
			Returned: "red",
			"Pulled Back": "gray",
		};
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
