frappe.listview_settings["Lead Transfer"] = lead_quality.lead_transfer_list;
