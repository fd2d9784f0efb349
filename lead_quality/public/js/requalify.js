// Judging all leads again, in the background: starts it, and shows how far it is wherever somebody looks, whether or
// not there is a realtime connection. Loaded by several forms and lists, so it is made once.

frappe.provide("lead_quality");

if (!lead_quality.requalify) {
	const EVENT = "lead_quality_requalify"; // as qualification/requalify.py says it
	const PAUSE = 3000;

	class Requalification {
		constructor() {
			this.places = new Map(); // element to {key, on_done}
			this.progress = null;
			frappe.realtime.on(EVENT, (progress) => this.take(progress));
		}

		// Shows the run that is under way, if there is one, at the top of an element. What is said of a run that is
		// done stays for as long as `key`, such as the document, is the same.
		show_in($parent, key, on_done) {
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
			const { run, total, done, changed } = this.progress;
			const [all, part, moved] = [total, done, changed].map((count) => format_number(count, null, 0));
			for (const place of this.places.keys()) {
				let $run = $(place).children(".lq-run");
				if (!$run.length) $run = $(`<div class="lq-run p-3 border-bottom">`).prependTo(place);
				if (this.is_running()) {
					const percent = total ? Math.floor((100 * done) / total) : 0;
					$run.html(`
						<div class="small mb-2">
							${__("Judging leads again: {0} of {1}, {2} changed so far.", [part, all, moved])}
							<span class="text-muted">${__("You can leave this page meanwhile.")}</span>
						</div>
						<div class="progress" style="height: 6px">
							<div class="progress-bar" role="progressbar" style="width: ${percent}%"></div>
						</div>`);
				} else {
					$run.html(`
						<button class="close" aria-label="${__("Close")}">&times;</button>
						<span class="indicator green">
							${__("{0} leads judged again, {1} changed.", [part, moved])}
						</span>
						<a class="small ml-2" href="${frappe.utils.get_form_link("Follow Up Run", run)}">${__("Details")}</a>`);
					$run.find(".close").on("click", () => $run.remove());
				}
			}
		}
	}

	lead_quality.requalify = new Requalification();
}
