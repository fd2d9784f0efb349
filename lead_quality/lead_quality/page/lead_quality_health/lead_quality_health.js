{
	const REFRESH_EVERY = 60_000;

	const states = {
		fine: ["green", __("Fine")],
		late: ["red", __("Late")],
		failed: ["orange", __("Failed")],
		stopped: ["red", __("Stopped")],
		never: ["gray", __("Has not run yet")],
	};

	frappe.pages["lead-quality-health"].on_page_load = (wrapper) => {
		const page = frappe.ui.make_app_page({
			parent: wrapper,
			title: __("Lead Quality Health"),
			single_column: true,
		});
		const $body = $(`<div class="lq-health p-4 mx-auto" style="max-width: 1100px"></div>`).appendTo(
			page.main,
		);
		const refresh = async () => {
			const { message: health } = await frappe.call("lead_quality.desk.health.get_health");
			$body.html(in_html(health));
		};
		wrapper.lq_refresh = refresh;
		page.set_secondary_action(__("Refresh"), refresh, "refresh");
		setInterval(() => $body.is(":visible") && document.hasFocus() && refresh(), REFRESH_EVERY);
	};

	frappe.pages["lead-quality-health"].on_page_show = (wrapper) => wrapper.lq_refresh();

	const escape = frappe.utils.escape_html;
	const nothing = `<span class="text-muted">–</span>`;
	const at = (instant) => (instant ? frappe.datetime.str_to_user(instant) : nothing);

	function in_html({ state, checked_at, findings, jobs, outages }) {
		return [
			headline(state, findings, checked_at),
			...[
				["red", __("Does Not Work")],
				["orange", __("Needs Attention")],
				["blue", __("Could Be Better")],
			].map(([severity, title]) =>
				section(title, findings.filter((found) => found.severity === severity).map(finding)),
			),
			section(__("Scheduled Jobs"), [job_table(jobs)]),
			section(
				__("Outages"),
				outages.length ? [outage_table(outages)] : [],
				__("Nobody's figures suffer from what fell due while the system was not looking."),
			),
		].join("");
	}

	function headline(state, findings, checked_at) {
		const count = findings.filter((found) => found.severity === state).length;
		const words = {
			red: [__("{0} things do not work", [count]), __("One thing does not work")],
			orange: [__("{0} things need attention", [count]), __("One thing needs attention")],
			green: [__("Everything works")],
		}[state];
		return `<div class="lq-health-state frappe-card d-flex align-items-center p-4 mb-4">
			<span class="rounded-circle mr-3" style="width: 14px; height: 14px; background: var(--${state}-500)"></span>
			<div class="flex-fill h4 mb-0">${count === 1 ? words.at(-1) : words[0]}</div>
			<div class="text-muted small">${__("Looked at {0}", [frappe.datetime.str_to_user(checked_at)])}</div>
		</div>`;
	}

	const section = (title, blocks, words = "") =>
		blocks.length
			? `<section class="mb-4">
				<h6 class="text-uppercase text-muted mb-2">${title}</h6>
				${words && `<p class="text-muted small mb-2">${words}</p>`}
				${blocks.join("")}
			</section>`
			: "";

	const finding = ({ severity, title, words, link }) => `
		<div class="lq-finding frappe-card d-flex align-items-center p-3 mb-2" data-severity="${severity}"
			style="border-left: 4px solid var(--${severity}-500)">
			<div class="flex-fill mr-3">
				<div class="font-weight-bold">${escape(title)}</div>
				<div class="text-muted">${escape(words)}</div>
			</div>
			${link ? `<a class="btn btn-default btn-sm text-nowrap" href="${escape(link.route)}">${escape(link.label)}</a>` : ""}
		</div>`;

	const table = (titles, rows) => `
		<div class="frappe-card p-0" style="overflow-x: auto">
			<table class="table m-0">
				<thead><tr>${titles.map((title) => `<th class="text-muted border-top-0 px-3 py-2">${title}</th>`).join("")}</tr></thead>
				<tbody>${rows.map((cells) => `<tr>${cells.map((cell) => `<td class="px-3">${cell}</td>`).join("")}</tr>`).join("")}</tbody>
			</table>
		</div>`;

	const job_table = (jobs) =>
		table(
			[__("Job"), __("Runs"), __("Last Run"), __("Last Result"), __("To Run At"), __("State")],
			jobs.map((job) => [
				`<div>${escape(job.label)}</div><div class="text-muted small">${escape(job.method)}</div>`,
				escape(job.frequency || "–"),
				job.last_run_at ? comment_when(job.last_run_at) : nothing,
				result(job),
				at(job.due_at),
				`<span class="indicator-pill ${states[job.state][0]}">${states[job.state][1]}</span>`,
			]),
		);

	function result({ run, route }) {
		if (!run) return nothing;
		const words = run.failed
			? __("{0} done, {1} failed", [run.done, run.failed])
			: run.status === "Running"
				? __("Running")
				: __("{0} done", [run.done || 0]);
		return `<a href="${escape(route)}">${words}</a>`;
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
}
