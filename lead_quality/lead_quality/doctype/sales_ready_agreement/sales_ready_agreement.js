frappe.ui.form.on("Sales Ready Agreement", lead_quality.sales_ready_agreement_form);
