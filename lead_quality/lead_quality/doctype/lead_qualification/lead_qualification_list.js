frappe.listview_settings["Lead Qualification"] = lead_quality.lead_qualification_list;
