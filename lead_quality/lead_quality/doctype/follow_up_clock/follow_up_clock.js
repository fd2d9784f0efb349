frappe.ui.form.on("Follow Up Clock", lead_quality.follow_up_clock_form);
