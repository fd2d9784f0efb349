frappe.listview_settings["Lead Handover"] = lead_quality.lead_handover_list;
