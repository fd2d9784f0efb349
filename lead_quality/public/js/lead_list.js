// Lead list: the verdict and the deadline at a glance. ERPNext's own settings stay as they are.

{
	const settings = (frappe.listview_settings["Lead"] = frappe.listview_settings["Lead"] || {});
	const colours = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };

	settings.add_fields = [...(settings.add_fields || []), "lq_verdict", "lq_due_at"];
	settings.formatters = {
		...(settings.formatters || {}),
		lq_verdict: (value, df, lead) =>
			value
				? `<span class="indicator-pill ${colours[value]}">${__(value)}</span> ${deadline(lead.lq_due_at)}`
				: "",
	};

	const deadline = (due) => {
		if (!due) return "";
		const now = moment(frappe.datetime.system_datetime());
		const minutes = moment(due).diff(now, "minutes");
		const colour = minutes < 0 ? "text-danger" : minutes < 60 ? "text-warning" : "text-muted";
		const words = minutes < 0 ? __("due {0}", [moment(due).from(now)]) : moment(due).from(now);
		return `<span class="small ${colour}" title="${frappe.datetime.str_to_user(due)}">${words}</span>`;
	};
}
