frappe.ui.form.on("Lead", lead_quality.lead_form);
