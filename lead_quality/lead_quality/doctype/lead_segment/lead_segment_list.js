frappe.listview_settings["Lead Segment"] = lead_quality.lead_segment_list;
