frappe.ui.form.on("Follow Up Alert", {
	async refresh(frm) {
		const { kind, lead, follow_up_clock, by_system } = frm.doc;
		const colours = { Warning: "orange", Missed: "red", Escalation: "purple", Unattended: "yellow" };
		frm.page.set_indicator(__(kind), colours[kind]);
		frm.disable_save();
		if (by_system) {
			frm.set_intro(
				__("The system was not running when this fell due and had told nobody: it counts against nobody."),
				"blue",
			);
		}
		frm.page.set_primary_action(__("Open Lead"), () => frappe.set_route("Form", "Lead", lead));
		if (frm.doc.clock !== "Handover Acceptance" || !follow_up_clock) return;
		// what is waited for is done on the handover's own form
		const { message } = await frappe.db.get_value("Follow Up Clock", follow_up_clock, "reference_name");
		if (!message?.reference_name || frm.doc.follow_up_clock !== follow_up_clock) return;
		frm.add_custom_button(__("Open Handover"), () =>
			frappe.set_route("Form", "Lead Handover", message.reference_name),
		);
	},
});
