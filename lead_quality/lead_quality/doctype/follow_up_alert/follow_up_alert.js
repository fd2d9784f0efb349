frappe.ui.form.on("Follow Up Alert", lead_quality.follow_up_alert_form);
