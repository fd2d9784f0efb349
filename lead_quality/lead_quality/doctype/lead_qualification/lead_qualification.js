frappe.ui.form.on("Lead Qualification", lead_quality.lead_qualification_form);
