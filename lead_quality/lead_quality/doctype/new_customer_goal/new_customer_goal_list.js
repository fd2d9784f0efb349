frappe.listview_settings["New Customer Goal"] = lead_quality.new_customer_goal_list;
