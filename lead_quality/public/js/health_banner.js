// A red line above a form or a list when jobs do not run. Each screen that shows it includes it into its own script.

frappe.provide("lead_quality.health");

// show: called with the words as HTML, if something does not work
lead_quality.health.banner = async (show) => {
	const { message: alarm } = await frappe.call("lead_quality.desk.health.get_alarm");
	if (!alarm?.length) return;
	const link = `<a style="text-decoration: underline" href="/app/lead-quality-health">${__("Lead Quality Health")}</a>`;
	show(`<b>${alarm.map(frappe.utils.escape_html).join("<br>")}</b> <div class="mt-1">${link}</div>`);
};
