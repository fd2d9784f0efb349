// Forms of documents that are changed by a new version. Loaded by each of them, so it registers itself once.

frappe.provide("lead_quality");

if (!lead_quality.versioned_forms) {
	lead_quality.versioned_forms = ["Qualification Checklist", "Nurture Cadence"];

	for (const doctype of lead_quality.versioned_forms) {
		frappe.ui.form.on(doctype, {
			refresh(frm) {
				const colours = { Draft: "orange", Active: "green", Superseded: "gray" };
				frm.page.set_indicator(__(frm.doc.status), colours[frm.doc.status]);
				if (frm.is_new() || !frm.has_perm("write")) return;
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
	}
}
