// Deadlines on the screen: words and a colour that change at the very moment, without a reload and without the server.
// Loaded by forms and lists, so it is made once.

frappe.provide("lead_quality");

if (!lead_quality.deadlines) {
	const MINUTE = 60_000;
	const HOUR = 60 * MINUTE;
	const DAY = 24 * HOUR;
	const COLOURS = { Running: "green", Warning: "orange", Overdue: "red", Paused: "gray" };
	const TEXT = { Overdue: "text-danger", Paused: "text-muted" };

	class Deadlines {
		constructor() {
			// as often as the last minute needs it; what still says the same is left alone
			setInterval(() => this.tick(), 1000);
			document.addEventListener("visibilitychange", () => this.tick());
		}

		// an instant of the server's (a text in the site's zone) as milliseconds since 1970
		instant(text) {
			const zone = frappe.boot.time_zone?.system;
			return text ? (zone ? moment.tz(text, zone) : moment(text)).valueOf() : null;
		}

		// Running, Paused, Warning or Overdue: as `engine.clock.state` has it. `clock` has due_at, warn_at and
		// paused_until, as the server gives them or as milliseconds.
		state({ due, warn, until }, now = Date.now()) {
			if (until && now < until) return "Paused";
			if (now > due) return "Overdue";
			return warn && now >= warn ? "Warning" : "Running";
		}

		of(clock) {
			return {
				due: this.instant(clock.due_at),
				warn: this.instant(clock.warn_at),
				until: this.instant(clock.paused_until),
			};
		}

		// how much time that is: the smaller unit only where it matters
		span(milliseconds, is_short = false) {
			if (milliseconds < MINUTE) return __("{0}s", [Math.floor(milliseconds / 1000)]);
			if (milliseconds < HOUR) return __("{0}m", [Math.floor(milliseconds / MINUTE)]);
			if (milliseconds >= 2 * DAY) return __("{0}d", [Math.floor(milliseconds / DAY)]);
			const hours = Math.floor(milliseconds / HOUR);
			if (is_short) return __("{0}h", [hours]);
			return __("{0}h {1}m", [hours, Math.floor((milliseconds % HOUR) / MINUTE)]);
		}

		// an instant in the user's zone and format, with its weekday and without seconds
		when(milliseconds) {
			const zone = frappe.boot.time_zone?.user || frappe.boot.time_zone?.system;
			const at = zone ? moment(milliseconds).tz(zone) : moment(milliseconds);
			return at.format(`ddd ${frappe.datetime.get_user_date_fmt().toUpperCase()} HH:mm`);
		}

		words({ due, warn, until, look }, now = Date.now()) {
			const state = this.state({ due, warn, until }, now);
			const is_short = look === "pill";
			if (state === "Paused") {
				if (is_short) return __("paused {0}", [this.span(until - now, true)]);
				const words = look === "rest" ? __("rests until {0}") : __("paused until {0}");
				return words.replace("{0}", this.when(until));
			}
			const left = due - now;
			const span = this.span(Math.abs(left), is_short);
			if (left < 0) return is_short ? __("{0} late", [span]) : __("{0} overdue", [span]);
			return is_short ? span : __("in {0}", [span]);
		}

		// `look`: pill for a narrow column, rest for a cadence that rests; `title` goes before the instant
		html(clock, { look = "", title = "" } = {}) {
			const times = { ...this.of(clock), look };
			const words = this.words(times);
			const at = this.when(times.due);
			return `<span class="${this.css(times)}" data-deadline="${frappe.utils.escape_html(JSON.stringify(times))}"
				data-state="${this.state(times)}" title="${frappe.utils.escape_html(
					title ? `${title}: ${at}` : at,
				)}">${words}</span>`;
		}

		css(times) {
			const state = this.state(times);
			const look =
				times.look === "pill" ? "indicator-pill no-indicator-dot" : `indicator ${TEXT[state] || ""}`;
			return `${look} ${COLOURS[state]} whitespace-nowrap`;
		}

		tick() {
			if (document.hidden) return;
			for (const element of document.querySelectorAll("[data-deadline]")) {
				const times = JSON.parse(element.dataset.deadline);
				const words = this.words(times);
				if (element.textContent !== words) element.textContent = words;
				const state = this.state(times);
				if (element.dataset.state !== state) {
					element.dataset.state = state;
					element.className = this.css(times);
				}
			}
		}
	}

	lead_quality.deadlines = new Deadlines();

	// what a Follow Up Clock is now, whether or not any job has run since, as Frappe's lists and forms take it: label,
	// colour and the filter behind it
	lead_quality.clock_indicator = (clock) => {
		const is_open = !clock.stopped_at && ["Running", "Paused", "Missed"].includes(clock.status);
		const state = is_open ? lead_quality.deadlines.state(lead_quality.deadlines.of(clock)) : clock.status;
		const now = frappe.datetime.system_datetime();
		if (state === "Overdue") return [__("Overdue"), "red", `stopped_at,is,not set|due_at,<,${now}`];
		if (state === "Missed" && cint(clock.missed_by_system)) {
			return [__("Missed by the System"), "gray", "missed_by_system,=,1"];
		}
		const colours = { ...COLOURS, Running: "blue", Met: "green", Missed: "red", Cancelled: "gray" };
		return [__(state), colours[state], `status,=,${clock.status}`];
	};
}
