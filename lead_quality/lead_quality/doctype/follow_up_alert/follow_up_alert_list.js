frappe.listview_settings["Follow Up Alert"] = lead_quality.follow_up_alert_list;
