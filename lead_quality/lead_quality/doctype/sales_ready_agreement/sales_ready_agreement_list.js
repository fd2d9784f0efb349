frappe.listview_settings["Sales Ready Agreement"] = lead_quality.sales_ready_agreement_list;
