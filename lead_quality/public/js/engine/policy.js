// A follow-up policy in words that need no knowledge of its tables.

import { bold, fill } from "./markup.js";

// what a step of the ladder needs besides its time, by its action: as follow_up_policy.py has it
export const NEEDS = { "Notify Role": "role", Reassign: "assignment_rule", Recycle: "outcome_reason" };
// to sort by only: a working day has some eight hours
const MINUTES = { Minutes: 1, Hours: 60, "Working Hours": 180, Days: 1440, "Working Days": 1440 };

// The desk keeps a number that nobody has touched as text.
const number = (value) => Number(value) || 0;

// The clocks that the policy speaks of, each with its target, if it has one, and the steps of its ladder in their order.
export function clocks_of({ targets = [], escalations = [] }) {
	const ladder = escalations.filter((step) => step.action);
	const with_target = targets.filter((target) => target.clock);
	const named = [...new Set(ladder.map((step) => step.clock).filter(Boolean))];
	const others = named.filter((clock) => !targets.some((target) => target.clock === clock));
	const length = (step) => number(step.after) * (MINUTES[step.unit] || 0);
	const steps = (clock) =>
		ladder.filter((step) => !step.clock || step.clock === clock).sort((a, b) => length(a) - length(b));
	return [
		...with_target.map((target) => ({ clock: target.clock, target, steps: steps(target.clock) })),
		...others.map((clock) => ({ clock, target: null, steps: steps(clock) })),
	];
}

export const who_is_told = (clock) =>
	clock === "Handover Acceptance" ? __("the receiver") : __("the lead's owner");

export function span_in_words(count, unit) {
	const one = {
		Minutes: __("1 minute"),
		Hours: __("1 hour"),
		"Working Hours": __("1 working hour"),
		Days: __("1 day"),
		"Working Days": __("1 working day"),
	};
	const many = {
		Minutes: __("{0} minutes", [number(count)]),
		Hours: __("{0} hours", [number(count)]),
		"Working Hours": __("{0} working hours", [number(count)]),
		Days: __("{0} days", [number(count)]),
		"Working Days": __("{0} working days", [number(count)]),
	};
	return number(count) === 1 ? one[unit] : many[unit];
}

// days are of different length: of them only the share can be told
function warning_in_words(within, unit, percent) {
	if (unit.endsWith("Days")) return __("{0}% of it", [number(percent)]);
	const minutes = Math.floor((number(within) * (unit === "Minutes" ? 1 : 60) * number(percent)) / 100);
	const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
	if (!hours) return __("{0}m", [rest]);
	return rest ? __("{0}h {1}m", [hours, rest]) : __("{0}h", [hours]);
}

export function target_in_words(target) {
	if (!target) return __("as long as the Sales Ready Agreement says.");
	const { within, unit, warn_at_percent } = target;
	if (!unit || number(within) <= 0) return __("no time is entered yet.");
	const span = span_in_words(within, unit);
	const percent = number(warn_at_percent);
	if (percent <= 0 || percent >= 100) return __("{0}, without a warning.", [span]);
	return __("{0}, with a warning after {1}.", [span, warning_in_words(within, unit, percent)]);
}

// As markup: what a step names is in bold.
export function step_in_words(step, who) {
	const when =
		number(step.after) > 0
			? __("{0} after the deadline", [span_in_words(step.after, step.unit)])
			: __("At the deadline");
	const value = bold(step[NEEDS[step.action]] || "…");
	return {
		"Notify Owner": () => fill(__("{0} {1} is notified again."), when, who),
		"Notify Manager": () => fill(__("{0} the manager of {1} is notified."), when, who),
		"Notify Role": () => fill(__("{0} every user with the role {1} is notified."), when, value),
		Reassign: () => fill(__("{0} the rule {1} assigns the lead to another user."), when, value),
		"Pull Back": () => fill(__("{0} the lead is pulled back to its sender, or else to the pool."), when),
		Recycle: () => fill(__("{0} the lead goes back to nurturing: {1}."), when, value),
	}[step.action]();
}
