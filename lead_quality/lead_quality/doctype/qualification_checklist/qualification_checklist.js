frappe.ui.form.on("Qualification Checklist", lead_quality.versioned_form);
frappe.ui.form.on("Qualification Checklist", lead_quality.qualification_checklist_form);
frappe.ui.form.on("Qualification Criterion", lead_quality.qualification_criterion_row);
