// Lead list: the verdict and the deadline at a glance. ERPNext's own settings stay as they are.

{
	const settings = (frappe.listview_settings["Lead"] = frappe.listview_settings["Lead"] || {});
	const colours = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };

	settings.add_fields = [...(settings.add_fields || []), "lq_verdict", "lq_due_at", "lq_non_buyer"];
	settings.formatters = {
		...(settings.formatters || {}),
		lq_verdict: (value, df, lead) =>
			value
				? `<span class="indicator-pill ${colours[value]}">${__(value)}</span> ${
						cint(lead.lq_non_buyer)
							? `<span class="small text-muted">${__("Not a buyer")}</span>`
							: deadline(lead.lq_due_at)
					}`
				: "",
	};

	// short, for a narrow column: "5h", "2d", "3h late"
	const deadline = (due) => {
		if (!due) return "";
		const minutes = moment(due).diff(moment(frappe.datetime.system_datetime()), "minutes");
		const size = Math.abs(minutes);
		const span =
			size < 60
				? __("{0}m", [size])
				: size < 48 * 60
					? __("{0}h", [Math.floor(size / 60)])
					: __("{0}d", [Math.floor(size / 1440)]);
		const colour = minutes < 0 ? "text-danger" : minutes < 60 ? "text-warning" : "text-muted";
		return `<span class="small ${colour}" title="${__("Due")} ${frappe.datetime.str_to_user(due)}">${
			minutes < 0 ? __("{0} late", [span]) : span
		}</span>`;
	};

	// sorted by criteria met, the lead that has waited longest comes first among equals
	const onload = settings.onload;
	settings.onload = (list) => {
		onload?.(list);
		const selector = list.sort_selector;
		if (!selector) return;
		const get_sql_string = selector.get_sql_string.bind(selector);
		selector.get_sql_string = () =>
			selector.sort_by === "lq_met_count"
				? `\`tabLead\`.\`lq_met_count\` ${selector.sort_order}, \`tabLead\`.\`creation\` asc`
				: get_sql_string();
	};
}
