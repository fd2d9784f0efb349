frappe.pages["lead-quality-health"].on_page_load = lead_quality.health_page;
frappe.pages["lead-quality-health"].on_page_show = (wrapper) => wrapper.lq_refresh();
