// Deadlines in words and colours. Instants are milliseconds since 1970; nothing here reads a clock.

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

// Running, Paused, Warning or Overdue: as `engine.clock.state` has it.
export function state_of({ due, warn, until }, now) {
	if (until && now < until) return "Paused";
	if (now > due) return "Overdue";
	return warn && now >= warn ? "Warning" : "Running";
}

// How much time that is: the smaller unit only where it matters.
export function span(milliseconds, is_short = false) {
	if (milliseconds < MINUTE) return __("{0}s", [Math.floor(milliseconds / 1000)]);
	if (milliseconds < HOUR) return __("{0}m", [Math.floor(milliseconds / MINUTE)]);
	if (milliseconds >= 2 * DAY) return __("{0}d", [Math.floor(milliseconds / DAY)]);
	const hours = Math.floor(milliseconds / HOUR);
	if (is_short) return __("{0}h", [hours]);
	return __("{0}h {1}m", [hours, Math.floor((milliseconds % HOUR) / MINUTE)]);
}

// `look`: pill for a narrow column, rest for a cadence that rests; `when` tells an instant.
export function deadline_in_words({ due, warn, until, look }, now, when) {
	const is_short = look === "pill";
	if (state_of({ due, warn, until }, now) === "Paused") {
		if (is_short) return __("paused {0}", [span(until - now, true)]);
		return look === "rest" ? __("rests until {0}", [when(until)]) : __("paused until {0}", [when(until)]);
	}
	const left = due - now;
	const length = span(Math.abs(left), is_short);
	if (left < 0) return is_short ? __("{0} late", [length]) : __("{0} overdue", [length]);
	return is_short ? length : __("in {0}", [length]);
}

// The clock of each lead that is shown beside it: the first that is due; what rests only where nothing else is due.
// `clocks` are in the order of their deadlines.
export function most_urgent(clocks, is_paused) {
	const found = {};
	for (const clock of clocks) {
		const before = found[clock.lead];
		if (!before || (is_paused(before) && !is_paused(clock))) found[clock.lead] = clock;
	}
	return found;
}

// Whole days from one day (YYYY-MM-DD) to another.
export const days_between = (from, to) =>
	Math.round((Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / DAY);
