frappe.ui.form.on("Lead Touch", lead_quality.lead_touch_form);
