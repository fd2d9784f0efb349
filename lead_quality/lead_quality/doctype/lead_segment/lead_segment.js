frappe.ui.form.on("Lead Segment", {
	setup(frm) {
		for (const fieldname of ["checklist", "cadence"]) {
			frm.set_query(fieldname, () => ({ filters: { status: "Active" } }));
		}
	},
	refresh(frm) {
		frappe.model.with_doctype("Lead", () => {
			const fields = frappe.meta
				.get_docfields("Lead")
				.filter((df) => frappe.model.is_value_type(df) && !df.fieldname.startsWith("lq_"))
				.map((df) => ({ value: df.fieldname, label: __(df.label || df.fieldname) }));
			// one name for both versions of ERPNext
			fields.unshift(
				{ value: "source", label: __("Source") },
				{ value: "campaign_name", label: __("Campaign") },
			);
			frm.fields_dict.rules.grid.update_docfield_property("field", "options", fields);
		});
	},
});
