{
	const QUEUE = "accept_by";

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

		onload(list) {
			const selector = list.sort_selector;
			if (!selector) return;

			// of what is due at the same time, what is worth more comes first
			const own_order = selector.get_sql_string.bind(selector);
			selector.get_sql_string = () =>
				selector.sort_by === QUEUE
					? `\`tabLead Handover\`.\`accept_by\` ${selector.sort_order}, \`tabLead Handover\`.\`expected_value\` desc`
					: own_order();

			// A link to what waits, such as a shortcut or a card, opens a queue: the first due first. Who then sorts it
			// in another way keeps that until the next link.
			const before_refresh = list.before_refresh.bind(list);
			list.before_refresh = async () => {
				const is_linked = Boolean(frappe.route_options);
				await before_refresh();
				const waits = ([, field, operator, value]) =>
					field === "status" && operator === "=" && value === "Sent";
				if (is_linked && list.filter_area?.get().some(waits)) selector.set_value(QUEUE, "asc");
			};
		},
	};
}
