frappe.listview_settings["Follow Up Clock"] = lead_quality.follow_up_clock_list;
