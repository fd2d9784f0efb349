// What the panel of a lead says, as functions of what `get_panel` has answered.

import { days_between } from "../engine/time.js";

export const STAGES = ["target", "prospect", "opportunity", "sale"];
// before these, a lead may still become an Opportunity
export const BEFORE_OPPORTUNITY = ["target", "prospect"];
export const CHANNEL_ICONS = {
	Email: "✉",
	Phone: "☎",
	Voicemail: "☎",
	LinkedIn: "in",
	Letter: "✉",
	"Direct Mail": "✉",
};
// outcomes offered in one click, the most frequent first
const QUICK_OUTCOMES = {
	Phone: ["No Answer", "Left Message", "Connected", "Meeting Booked"],
	Voicemail: ["Left Message", "Connected"],
	Email: ["Replied"],
	LinkedIn: ["Left Message", "Replied"],
};
// as `PAUSED_BY_SNOOZE` in engine/clock.py has it
const PAUSED_BY_SNOOZE = ["First Response", "First Touch After Acceptance"];
const SOON = 14; // days: from then on a countdown to a lead's end is orange

export const quick_outcomes = (channel) => QUICK_OUTCOMES[channel] || [];

// The clocks that have a line of their own: that of the next touch stands beside the touch.
export function split_clocks({ clocks, next_touch }) {
	const is_shown = (clock) => Boolean(next_touch) && clock.clock === "Next Touch";
	return { of_touch: clocks.find(is_shown) || null, others: clocks.filter((clock) => !is_shown(clock)) };
}

// What a snooze does to the clocks of a lead: which pause, which are overdue already, which go on.
export function effect_of_snooze(clocks, is_late) {
	// the next touch moves with the cadence
	const others = clocks.filter(({ clock }) => clock !== "Next Touch");
	const waits = ({ clock }) => PAUSED_BY_SNOOZE.includes(clock);
	return {
		paused: others.filter((clock) => waits(clock) && !is_late(clock)),
		late: others.filter((clock) => waits(clock) && is_late(clock)),
		running: others.filter((clock) => !waits(clock)),
	};
}

// How long a lead keeps: `kind` is stale or shelf_life, days are YYYY-MM-DD, `show` tells one to the user. Returns the
// words and a colour, none for what is far off.
export function ageing(kind, day, today, show) {
	const left = days_between(today, day);
	const colour = left <= 0 ? "red" : left <= SOON ? "orange" : null;
	if (kind === "stale") {
		if (left < 0) return { colour, text: __("Stale since {0}", [show(day)]) };
		return { colour, text: left ? __("Goes stale {0}", [show(day)]) : __("Goes stale today") };
	}
	if (left < 0) return { colour, text: __("Shelf life ended {0}", [show(day)]) };
	return { colour, text: left ? __("Shelf life ends {0}", [show(day)]) : __("Shelf life ends today") };
}

// Whom not to write to or call: the channels with the reasons, or all of them.
export function opt_out_in_words(opt_outs) {
	if (!opt_outs?.length) return "";
	const all = opt_outs.find(({ channel }) => channel === "All");
	const why = (opt_out) => (opt_out.reason ? ` (${__(opt_out.reason)})` : "");
	if (all) return __("Wants no contact at all{0}.", [why(all)]);
	const channels = opt_outs.map((opt_out) => `${__(opt_out.channel)}${why(opt_out)}`);
	return __("Wants no {0}.", [channels.join(", ")]);
}

export const is_closed = (opt_outs, channel) =>
	(opt_outs || []).some((opt_out) => ["All", channel].includes(opt_out.channel));

// A reason is named after what it is for.
export const reason_itself = (reason, purpose) => (reason || "").replace(`${purpose}: `, "");

// The mornings to choose from: words and days, each day once, none of the `closed` ones (YYYY-MM-DD), on which nobody
// works on the lead. `today` is a moment of the user's.
export function snooze_picks(today, closed = []) {
	const opening = (day) =>
		closed.includes(day.format("YYYY-MM-DD")) ? opening(day.clone().add(1, "day")) : day;
	const tomorrow = today.clone().add(1, "day");
	const picks = [
		[opening(tomorrow) === tomorrow ? __("Tomorrow") : __("Next open day"), tomorrow],
		[__("Next week"), today.clone().add(1, "week").startOf("isoWeek")],
		[__("Next month"), today.clone().add(1, "month")],
	].map(([label, day]) => [label, opening(day).startOf("day").hour(9)]);
	// before a weekend, tomorrow is next week
	return picks.filter(([, day], index) => picks.findIndex((pick) => pick[1].isSame(day)) === index);
}
