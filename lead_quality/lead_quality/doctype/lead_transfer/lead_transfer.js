frappe.ui.form.on("Lead Transfer", lead_quality.lead_transfer_form);
