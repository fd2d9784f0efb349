frappe.listview_settings["Nurture Enrollment"] = lead_quality.nurture_enrollment_list;
