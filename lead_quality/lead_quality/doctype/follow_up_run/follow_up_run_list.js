{% include "lead_quality/public/js/health_banner.js" %}

frappe.listview_settings["Follow Up Run"] = {
	refresh(listview) {
		lead_quality.health.banner((words) => {
			listview.$frappe_list.find(".lq-alarm").remove();
			listview.$frappe_list.prepend(`<div class="lq-alarm form-message red p-3">${words}</div>`);
		});
	},
};
