// The fields of a Lead, wherever a rule or a step names one.

// Offers them in a column of a table; and `more`, which is no field of it but may be named where a field may.
export function offer_lead_fields(frm, table, fieldname, fits = () => true, more = []) {
	frappe.model.with_doctype("Lead", () => {
		const options = frappe.meta
			.get_docfields("Lead")
			.filter((df) => frappe.model.is_value_type(df) && !df.fieldname.startsWith("lq_") && fits(df))
			// the source and the campaign have one name for both versions of ERPNext, see below
			.filter((df) => !["source", "campaign_name", "utm_source", "utm_campaign"].includes(df.fieldname))
			.map((df) => ({ value: df.fieldname, label: __(df.label || df.fieldname) }));
		if (fits({ fieldtype: "Link" })) {
			options.unshift(
				{ value: "source", label: __("Source") },
				{ value: "campaign_name", label: __("Campaign") },
			);
		}
		options.unshift(...more);
		frm.fields_dict[table].grid.update_docfield_property(fieldname, "options", options);
	});
}
