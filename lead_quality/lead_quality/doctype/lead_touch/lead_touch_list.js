frappe.listview_settings["Lead Touch"] = lead_quality.lead_touch_list;
