// Judging all leads again, in the background: starts it, and shows how far it is wherever somebody looks, whether or
// not there is a realtime connection.

import { html } from "../engine/markup.js";
import { element } from "./dialogs.js";

const EVENT = "lead_quality_requalify"; // as qualification/requalify.py says it
const PAUSE = 3000;

class Requalification {
	constructor() {
		this.places = new Map(); // element to {key, on_done}
		this.progress = null;
	}

	// Shows the run that is under way, if there is one, at the top of an element. What is said of a run that is
	// done stays for as long as `key`, such as the document, is the same.
	show_in($parent, key, on_done) {
		if (!this.listens) frappe.realtime.on(EVENT, (progress) => this.take(progress));
		this.listens = true;
		const place = this.places.get($parent[0]);
		if (place?.key !== key) $parent.children(".lq-run").remove();
		this.places.set($parent[0], { key, on_done });
		if (this.is_running()) this.render();
		this.look();
	}

	async start(args = {}) {
		this.take(await frappe.xcall("lead_quality.api.judge_all_again", args));
	}

	is_running() {
		return this.progress?.status === "Running";
	}

	async look() {
		clearTimeout(this.timer);
		const run = this.is_running() ? this.progress.run : null;
		try {
			this.take(await frappe.xcall("lead_quality.api.get_progress", { run }));
		} finally {
			this.wait();
		}
	}

	wait() {
		clearTimeout(this.timer);
		const is_seen = [...this.places.keys()].some((place) => $(place).is(":visible"));
		if (this.is_running() && is_seen) this.timer = setTimeout(() => this.look(), PAUSE);
	}

	take(progress) {
		if (!progress) return;
		const was_running = this.is_running() && this.progress.run === progress.run;
		const is_old = this.progress?.run === progress.run && !was_running;
		// what was said of an earlier moment may come in late
		if (is_old || (was_running && progress.done < this.progress.done)) return;
		this.progress = progress;
		this.render();
		if (this.is_running()) {
			this.wait();
		} else {
			for (const [place, { on_done }] of this.places) {
				if ($(place).is(":visible")) on_done?.();
			}
		}
	}

	render() {
		for (const place of this.places.keys()) {
			let $run = $(place).children(".lq-run");
			if (!$run.length)
				$run = element(html`<div class="lq-run p-3 border-bottom"></div>`).prependTo(place);
			$run.html(String(this.is_running() ? running(this.progress) : done(this.progress)));
			$run.find(".close").on("click", () => $run.remove());
		}
	}
}

const figure = (count) => format_number(count, null, 0);

const running = ({ total, done, changed }) => html`
	<div class="small mb-2">
		${__("Requalifying leads: {0} of {1}, {2} changed so far.", [done, total, changed].map(figure))}
		<span class="text-muted">${__("You can leave this page in the meantime.")}</span>
	</div>
	${bar(done, total)}`;

const done = ({ run, done, changed }) => html`
	<button class="close" aria-label="${__("Close")}">&times;</button>
	<span class="indicator green">${__("{0} leads requalified, {1} changed.", [done, changed].map(figure))}</span>
	<a class="small ml-2" href="${frappe.utils.get_form_link("Follow Up Run", run)}">${__("Details")}</a>`;

// How much of something is done.
export const bar = (done, total) => {
	const percent = total ? Math.floor((100 * done) / total) : 0;
	return html`<div class="progress" style="height: 6px">
		<div
			class="progress-bar"
			role="progressbar"
			aria-valuemin="0"
			aria-valuemax="100"
			aria-valuenow="${percent}"
			style="width: ${percent}%"
		></div>
	</div>`;
};

export const requalify = new Requalification();
