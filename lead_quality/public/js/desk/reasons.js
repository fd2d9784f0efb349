// The reasons that count for a lead, as a list to choose from: they are few, and known before the dialog opens.

// Resolves to `{ reasons, field }`: the reasons as the server tells them, and a field of a dialog.
export async function ask_reasons(lead, applies_to, label, more = {}) {
	const { message: reasons } = await frappe.call({
		method: "lead_quality.desk.search.get_reasons",
		args: { lead, applies_to },
		type: "GET",
		freeze: true,
	});
	const options = reasons.map(({ name, reason }) => ({ value: name, label: __(reason) }));
	const field = {
		fieldname: "reason",
		fieldtype: "Select",
		options: [{ value: "", label: "" }, ...options],
		label,
		reqd: 1,
		description: reasons.length
			? ""
			: __("No reason is enabled for this: a manager adds one to Lead Outcome Reason."),
		...more,
	};
	return { reasons, field };
}
