{
	frappe.ui.form.on("Lead Handover", {
		refresh(frm) {
			const colours = {
				Sent: "orange",
				Accepted: "green",
				Rejected: "red",
				Returned: "red",
				"Pulled Back": "gray",
			};
			frm.page.set_indicator(__(frm.doc.status), colours[frm.doc.status] || "gray");
			frm.disable_save();
			frm.add_custom_button(__("Open Lead"), () => frappe.set_route("Form", "Lead", frm.doc.lead));
			frm.get_field("dossier_html").$wrapper.html(frm.doc.dossier || "");
			const { may_decide, away } = frm.doc.__onload || {};
			if (away && frm.doc.status === "Sent")
				frm.dashboard.add_comment(frappe.utils.escape_html(away), "orange", true);
			if (!may_decide) return;
			if (frm.doc.status === "Sent") {
				const accept = () => answer(frm, "accept_handover", {}).catch(lead_quality.refused);
				frm.page.set_primary_action(__("Accept"), accept);
				frm.add_custom_button(__("Reject"), () => decline(frm, "reject_handover", "Reject"));
				if (frm.doc.accept_by) {
					const left = lead_quality.deadlines.html({ due_at: frm.doc.accept_by });
					frm.dashboard.add_comment(`${__("To be answered:")} ${left}`, "yellow", true);
				}
			}
			if (frm.doc.status === "Accepted") {
				frm.page.set_primary_action(__("Create Opportunity"), () =>
					frappe.model.open_mapped_doc({
						method: "erpnext.crm.doctype.lead.lead.make_opportunity",
						source_name: frm.doc.lead,
					}),
				);
				frm.add_custom_button(__("Return"), () => decline(frm, "return_handover", "Return"));
			}
		},
	});

	const answer = async (frm, method, args) => {
		await frappe.call({
			method: `lead_quality.api.${method}`,
			args: { handover: frm.doc.name, ...args },
			freeze: true,
		});
		frm.reload_doc();
	};

	const decline = (frm, method, purpose) => {
		lead_quality.ask({
			title: __(purpose),
			fields: [
				{
					fieldname: "reason",
					fieldtype: "Link",
					options: "Lead Outcome Reason",
					label: __("Reason"),
					reqd: 1,
					get_query: () => ({
						query: "lead_quality.desk.search.reasons",
						filters: { lead: frm.doc.lead, applies_to: purpose },
					}),
				},
				{
					fieldname: "feedback",
					fieldtype: "Small Text",
					label: __("What should marketing know?"),
				},
			],
			label: __(purpose),
			submit: (values) => answer(frm, method, values),
		});
	};
}
