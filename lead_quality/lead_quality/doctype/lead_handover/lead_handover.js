frappe.ui.form.on("Lead Handover", lead_quality.lead_handover_form);
