frappe.ui.form.on("Follow Up Policy", lead_quality.follow_up_policy_form);
frappe.ui.form.on("Follow Up Target", lead_quality.follow_up_target_row);
frappe.ui.form.on("Follow Up Escalation", lead_quality.follow_up_escalation_row);
