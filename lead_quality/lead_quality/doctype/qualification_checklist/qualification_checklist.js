frappe.ui.form.on("Qualification Checklist", {
	refresh(frm) {
		const colours = { Draft: "orange", Active: "green", Superseded: "gray" };
		frm.page.set_indicator(__(frm.doc.status), colours[frm.doc.status]);
		if (frm.is_new()) return;
		frm.add_custom_button(__("New Version"), async () => {
			const { message } = await frm.call("make_new_version");
			frappe.set_route("Form", frm.doctype, message.name);
		});
		if (frm.doc.status === "Draft") {
			frm.add_custom_button(__("Activate"), async () => {
				await frm.set_value("status", "Active");
				frm.save();
			});
		}
	},
});
