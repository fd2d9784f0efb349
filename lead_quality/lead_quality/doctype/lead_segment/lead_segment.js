frappe.ui.form.on("Lead Segment", lead_quality.lead_segment_form);
