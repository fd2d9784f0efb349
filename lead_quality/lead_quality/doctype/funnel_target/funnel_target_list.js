frappe.listview_settings["Funnel Target"] = lead_quality.funnel_target_list;
