// The health page: what does not work, what needs attention, and the scheduled jobs.

import { html, trusted } from "../engine/markup.js";
import { element } from "./dialogs.js";

const REFRESH_EVERY = 60_000; // milliseconds

export function health_page(wrapper) {
	const page = frappe.ui.make_app_page({
		parent: wrapper,
		title: __("Lead Quality Health"),
		single_column: true,
	});
	const $body = element(html`<div class="lq-health p-4 mx-auto" style="max-width: 1100px"></div>`);
	$body.appendTo(page.main);
	wrapper.lq_refresh = async () => {
		const { message: health } = await frappe.call("lead_quality.desk.health.get_health");
		$body.html(String(health_html(health)));
	};
	page.set_secondary_action(__("Refresh"), wrapper.lq_refresh, "refresh");
	setInterval(() => $body.is(":visible") && document.hasFocus() && wrapper.lq_refresh(), REFRESH_EVERY);
}

const states = () => ({
	fine: ["green", __("Fine")],
	late: ["red", __("Late")],
	failed: ["orange", __("Failed")],
	stopped: ["red", __("Stopped")],
	never: ["gray", __("Has not run yet")],
});

const nothing = html`<span class="text-muted">–</span>`;
const at = (instant) => (instant ? frappe.datetime.str_to_user(instant) : nothing);

function health_html({ state, checked_at, findings, jobs, outages }) {
	const of_severity = (severity) => findings.filter((found) => found.severity === severity).map(finding);
	return html`
		${headline(state, findings, checked_at)}
		${section(__("Does Not Work"), of_severity("red"))}
		${section(__("Needs Attention"), of_severity("orange"))}
		${section(__("Could Be Better"), of_severity("blue"))}
		${section(__("Scheduled Jobs"), [job_table(jobs)])}
		${section(
			__("Outages"),
			outages.length ? [outage_table(outages)] : [],
			__("Deadlines that passed while the system was down count against nobody."),
		)}`;
}

function headline(state, findings, checked_at) {
	const count = findings.filter((found) => found.severity === state).length;
	const words = {
		red: [__("{0} things do not work", [count]), __("One thing does not work")],
		orange: [__("{0} things need attention", [count]), __("One thing needs attention")],
		green: [__("Everything works")],
	}[state];
	return html`<div class="lq-health-state frappe-card d-flex align-items-center p-4 mb-4">
		<span class="rounded-circle mr-3" style="width: 14px; height: 14px; background: var(--${state}-500)"></span>
		<div class="flex-fill h4 mb-0">${count === 1 ? words.at(-1) : words[0]}</div>
		<div class="text-muted small">${__("Looked at {0}", [frappe.datetime.str_to_user(checked_at)])}</div>
	</div>`;
}

const section = (title, blocks, words = "") =>
	blocks.length > 0 &&
	html`<section class="mb-4">
		<h6 class="text-uppercase text-muted mb-2">${title}</h6>
		${words && html`<p class="text-muted small mb-2">${words}</p>`}
		${blocks}
	</section>`;

const finding = ({ severity, title, words, link }) => html`
	<div class="lq-finding frappe-card d-flex align-items-center p-3 mb-2" data-severity="${severity}"
		style="border-left: 4px solid var(--${severity}-500)">
		<div class="flex-fill mr-3">
			<div class="font-weight-bold">${title}</div>
			<div class="text-muted">${words}</div>
		</div>
		${link && html`<a class="btn btn-default btn-sm text-nowrap" href="${link.route}">${link.label}</a>`}
	</div>`;

const table = (titles, rows) => html`
	<div class="frappe-card p-0" style="overflow-x: auto">
		<table class="table m-0">
			<thead><tr>${titles.map((title) => html`<th class="text-muted border-top-0 px-3 py-2">${title}</th>`)}</tr></thead>
			<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td class="px-3">${cell}</td>`)}</tr>`)}</tbody>
		</table>
	</div>`;

const job_table = (jobs) =>
	table(
		[__("Job"), __("Runs"), __("Last Run"), __("Last Result"), __("To Run At"), __("State")],
		jobs.map((job) => [
			html`<div>${job.label}</div><div class="text-muted small">${job.method}</div>`,
			job.frequency || "–",
			job.last_run_at ? trusted(comment_when(job.last_run_at)) : nothing,
			result(job),
			at(job.due_at),
			html`<span class="indicator-pill ${states()[job.state][0]}">${states()[job.state][1]}</span>`,
		]),
	);

function result({ run, route }) {
	if (!run) return nothing;
	const words = run.failed
		? __("{0} done, {1} failed", [run.done, run.failed])
		: run.status === "Running"
			? __("Running")
			: __("{0} done", [run.done || 0]);
	return html`<a href="${route}">${words}</a>`;
}

const outage_table = (outages) =>
	table(
		[__("From"), __("Until"), __("Lasted")],
		outages.map(({ since, until }) => [
			at(since),
			at(until),
			frappe.utils.get_formatted_duration(
				moment(until).diff(moment(since), "seconds"),
				frappe.utils.get_duration_options({ hide_seconds: 1 }),
			),
		]),
	);
