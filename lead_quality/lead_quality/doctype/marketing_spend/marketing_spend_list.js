frappe.listview_settings["Marketing Spend"] = lead_quality.marketing_spend_list;
