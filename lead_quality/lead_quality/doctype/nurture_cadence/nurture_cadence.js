frappe.ui.form.on("Nurture Cadence", lead_quality.versioned_form);
frappe.ui.form.on("Nurture Cadence", lead_quality.nurture_cadence_form);
