frappe.listview_settings["Follow Up Run"] = lead_quality.follow_up_run_list;
