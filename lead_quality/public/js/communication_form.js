frappe.ui.form.on("Communication", lead_quality.communication_form);
