frappe.ui.form.on("Working Calendar", lead_quality.working_calendar_form);
frappe.ui.form.on("Working Calendar Hours", lead_quality.working_calendar_hours_row);
