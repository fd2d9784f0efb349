frappe.listview_settings["Lead"] = lead_quality.lead_list(frappe.listview_settings["Lead"] || {});
