frappe.listview_settings["Lead Priority Model"] = lead_quality.lead_priority_model_list;
