frappe.ui.form.on("Nurture Cadence", {
	refresh: (frm) =>
		lead_quality.offer_lead_fields(frm, "steps", "date_field", (df) =>
			["Date", "Datetime"].includes(df.fieldtype),
		),
});
