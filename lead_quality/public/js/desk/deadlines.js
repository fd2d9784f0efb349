// Deadlines on the screen: words and a colour that change at the very moment, without a reload and without the server.

import { CLOCK, DEADLINE } from "../engine/colours.js";
import { html } from "../engine/markup.js";
import { DAY, deadline_in_words, state_of } from "../engine/time.js";

const TEXT = { Overdue: "text-danger", Paused: "text-muted" };
const NEAR = 6 * DAY; // until then a weekday names one day only

// An instant of the server's (a text in the site's zone) as milliseconds since 1970.
export function instant(text) {
	const zone = frappe.boot.time_zone?.system;
	return text ? (zone ? moment.tz(text, zone) : moment(text)).valueOf() : null;
}

function in_zone_of_user(milliseconds) {
	const zone = frappe.boot.time_zone?.user || frappe.boot.time_zone?.system;
	return zone ? moment(milliseconds).tz(zone) : moment(milliseconds);
}

// An instant in the user's zone and format, with its weekday and without seconds.
export const when = (milliseconds) =>
	in_zone_of_user(milliseconds).format(`ddd ${frappe.datetime.get_user_date_fmt().toUpperCase()} HH:mm`);

// The same as short as it is clear: "Mon 10:10" within the week.
export const when_short = (milliseconds, now = Date.now()) =>
	Math.abs(milliseconds - now) < NEAR
		? in_zone_of_user(milliseconds).format("ddd HH:mm")
		: when(milliseconds);

// `clock` has due_at, warn_at and paused_until, as the server gives them.
export const times_of = (clock) => ({
	due: instant(clock.due_at),
	warn: instant(clock.warn_at),
	until: instant(clock.paused_until),
});

export const state_of_clock = (clock) => state_of(times_of(clock), Date.now());

const in_words = (times) => deadline_in_words(times, Date.now(), when);

function css(times) {
	const state = state_of(times, Date.now());
	const look = times.look === "pill" ? "indicator-pill no-indicator-dot" : `indicator ${TEXT[state] || ""}`;
	return `${look} ${DEADLINE[state]} whitespace-nowrap`;
}

// `look`: pill for a narrow column, rest for a cadence that rests; `title` goes before the instant.
export function deadline(clock, { look = "", title = "" } = {}) {
	const times = { ...times_of(clock), look };
	const at = when(times.due);
	return html`<span
		class="${css(times)}"
		data-deadline="${JSON.stringify(times)}"
		data-state="${state_of(times, Date.now())}"
		title="${title ? `${title}: ${at}` : at}">${in_words(times)}</span>`;
}

// Keeps every deadline on the screen true, as often as the last minute needs it.
export function start() {
	setInterval(tick, 1000);
	document.addEventListener("visibilitychange", tick);
}

function tick() {
	if (document.hidden) return;
	for (const element of document.querySelectorAll("[data-deadline]")) {
		const times = JSON.parse(element.dataset.deadline);
		const words = in_words(times);
		if (element.textContent !== words) element.textContent = words;
		const state = state_of(times, Date.now());
		if (element.dataset.state !== state) {
			element.dataset.state = state;
			element.className = css(times);
		}
	}
}

// What a Follow Up Clock is now, whether or not any job has run since, as Frappe's lists and forms take it: label, colour
// and the filter behind it.
export function clock_indicator(clock) {
	const is_open = !clock.stopped_at && ["Running", "Paused", "Missed"].includes(clock.status);
	const state = is_open ? state_of_clock(clock) : clock.status;
	if (state === "Overdue") {
		return [__("Overdue"), "red", `stopped_at,is,not set|due_at,<,${frappe.datetime.system_datetime()}`];
	}
	if (state === "Missed" && cint(clock.missed_by_system)) {
		return [__("Missed by the System"), "gray", "missed_by_system,=,1"];
	}
	return [__(state), CLOCK[state], `status,=,${clock.status}`];
}
