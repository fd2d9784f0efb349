frappe.ui.form.on("Lead Quality Settings", lead_quality.lead_quality_settings_form);
