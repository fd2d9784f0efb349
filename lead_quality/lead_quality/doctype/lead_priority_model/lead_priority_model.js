frappe.ui.form.on("Lead Priority Model", lead_quality.lead_priority_model_form);
