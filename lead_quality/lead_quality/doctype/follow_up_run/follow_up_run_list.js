{% include "lead_quality/public/js/health_banner.js" %}

frappe.listview_settings["Follow Up Run"] = {
	add_fields: ["status", "outage_from"],
	get_indicator(doc) {
		// it did its work, but nothing had run for a while before
		if (doc.status === "Completed" && doc.outage_from) {
			return [__("Late"), "orange", "outage_from,is,set"];
		}
		const colours = { Queued: "gray", Running: "blue", Completed: "green", Failed: "red" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
	refresh(listview) {
		lead_quality.health.banner((words) => {
			listview.$frappe_list.find(".lq-alarm").remove();
			listview.$frappe_list.prepend(`<div class="lq-alarm form-message red p-3">${words}</div>`);
		});
	},
};
