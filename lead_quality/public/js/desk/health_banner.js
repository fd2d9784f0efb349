// A red line above a form or a list when jobs do not run.

import { html } from "../engine/markup.js";

// Calls `show` with the words, as HTML, if something does not work.
export async function show_alarm(show) {
	const { message: alarm } = await frappe.call("lead_quality.desk.health.get_alarm");
	if (!alarm?.length) return;
	const lines = alarm.map((line, index) => html`${index ? html`<br />` : ""}${line}`);
	show(
		String(
			html`<b>${lines}</b>
				<div class="mt-1">
					<a style="text-decoration: underline" href="/app/lead-quality-health">${__("Lead Quality Health")}</a>
				</div>`,
		),
	);
}
