{
	// what a step of the ladder needs besides its time, by its action: as follow_up_policy.py has it
	const NEEDS = { "Notify Role": "role", Reassign: "assignment_rule", Recycle: "outcome_reason" };

	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));
	const bold = (text) => `<b>${escape(text)}</b>`;
	// to sort by only: a working day has some eight hours
	const MINUTES = { Minutes: 1, Hours: 60, "Working Hours": 180, Days: 1440, "Working Days": 1440 };
	const is_for = (clock) => (step) => !step.clock || step.clock === clock;

	frappe.ui.form.on("Follow Up Policy", {
		setup(frm) {
			frm.set_query("assignment_rule", "escalations", () => ({ filters: { document_type: "Lead" } }));
			frm.set_query("outcome_reason", "escalations", () => ({
				filters: { applies_to: "Disqualify", proposes_nurture: 1, enabled: 1 },
			}));
			frm.set_query("role", "escalations", () => ({
				filters: { disabled: 0, name: ["not in", ["All", "Guest", "Administrator", "Desk User"]] },
			}));
			frm.set_query("escalate_to", () => ({
				filters: { enabled: 1, name: ["not in", ["Administrator", "Guest"]] },
			}));
		},
		refresh: (frm) => say_in_words(frm),
		working_calendar: (frm) => say_in_words(frm),
		escalate_to: (frm) => say_in_words(frm),
	});

	const on_change = (fieldnames) =>
		Object.fromEntries(fieldnames.map((fieldname) => [fieldname, (frm) => say_in_words(frm)]));

	frappe.ui.form.on(
		"Follow Up Target",
		on_change(["clock", "within", "unit", "warn_at_percent", "targets_add", "targets_remove"]),
	);
	frappe.ui.form.on("Follow Up Escalation", {
		...on_change(["clock", "after", "unit", "role", "assignment_rule", "outcome_reason"]),
		...on_change(["escalations_add", "escalations_remove"]),
		action(frm, doctype, name) {
			say_in_words(frm);
			// what the action needs is in the row's own form, where there is room for it
			const needed = NEEDS[frappe.get_doc(doctype, name).action];
			const row = frm.fields_dict.escalations.grid.get_row(name);
			if (!needed || frappe.get_doc(doctype, name)[needed] || row.grid_form?.is_open) return;
			row.toggle_view(true);
		},
	});

	// what will happen, in words that need no knowledge of the tables above
	const say_in_words = (frm) => {
		const { targets = [], escalations = [], escalate_to, working_calendar } = frm.doc;
		const ladder = escalations.filter((step) => step.action);
		const agreed = ladder
			.map((step) => step.clock)
			.filter((clock, index, all) => clock && all.indexOf(clock) === index)
			.filter((clock) => !targets.some((target) => target.clock === clock));
		const lines = [
			...targets.filter((target) => target.clock).map((target) => clock_in_words(target, ladder)),
			...agreed.map((clock) => clock_in_words({ clock }, ladder)),
		];
		const ends = [
			working_calendar && __("Working time is that of {0}.", [bold(working_calendar)]),
			ladder.length &&
				escalate_to &&
				__("Where there is nobody to tell, such as no manager: {0}.", [bold(name_of(frm, escalate_to))]),
		].filter(Boolean);
		frm.$lead_quality_words?.remove();
		if (!lines.length) return;
		frm.$lead_quality_words =
			$(`<div class="lq-in-words form-message blue small mb-4" style="white-space: normal">
			${lines.join("")}<div>${ends.join(" ")}</div></div>`);
		frm.fields_dict.escalations.$wrapper.after(frm.$lead_quality_words);
	};

	// the server tells the name of whom it has stored
	const name_of = (frm, user) => {
		const { user: stored, full_name } = frm.doc.__onload?.last_resort || {};
		return user === stored ? full_name : frappe.user.full_name(user);
	};

	const clock_in_words = (target, ladder) => {
		const who = target.clock === "Handover Acceptance" ? __("the receiver") : __("the lead's owner");
		const length_of = (step) => flt(step.after) * MINUTES[step.unit];
		const steps = ladder.filter(is_for(target.clock)).sort((a, b) => length_of(a) - length_of(b));
		const sentences = [
			__("When it is missed, {0} is told.", [who]),
			...steps.map((step) => step_in_words(step, who)),
		];
		return `<div class="mb-2">${bold(__(target.clock))}: ${target_in_words(target)}
			<ul class="mb-0 pl-4">${sentences.map((sentence) => `<li>${sentence}</li>`).join("")}</ul></div>`;
	};

	const target_in_words = ({ within, unit, warn_at_percent }) => {
		if (!unit) return __("as long as the Sales Ready Agreement says.");
		const span = span_in_words(within, unit);
		if (flt(warn_at_percent) >= 100) return __("{0}, without a warning.", [span]);
		return __("{0}, with a warning after {1}.", [span, warning_in_words(within, unit, warn_at_percent)]);
	};

	const step_in_words = (step, who) => {
		const when = flt(step.after)
			? __("{0} after the deadline", [span_in_words(step.after, step.unit)])
			: __("At the deadline");
		const value = bold(step[NEEDS[step.action]] || "…");
		return {
			"Notify Owner": () => __("{0} {1} is told again.", [when, who]),
			"Notify Manager": () => __("{0} the manager of {1} is told.", [when, who]),
			"Notify Role": () => __("{0} whoever has the role {1} is told.", [when, value]),
			Reassign: () => __("{0} the rule {1} gives the lead to somebody else.", [when, value]),
			"Pull Back": () =>
				__("{0} the lead is pulled back: to who has handed it over, else to the pool.", [when]),
			Recycle: () => __("{0} the lead goes back to nurturing: {1}.", [when, value]),
		}[step.action]();
	};

	const span_in_words = (count, unit) => {
		const one = {
			Minutes: __("1 minute"),
			Hours: __("1 hour"),
			"Working Hours": __("1 working hour"),
			Days: __("1 day"),
			"Working Days": __("1 working day"),
		};
		const many = {
			Minutes: __("{0} minutes", [count]),
			Hours: __("{0} hours", [count]),
			"Working Hours": __("{0} working hours", [count]),
			Days: __("{0} days", [count]),
			"Working Days": __("{0} working days", [count]),
		};
		return flt(count) === 1 ? one[unit] : many[unit];
	};

	// days are of different length: of them only the share can be told
	const warning_in_words = (within, unit, percent) => {
		if (unit.endsWith("Days")) return __("{0}% of it", [percent]);
		const minutes = Math.floor((flt(within) * (unit === "Minutes" ? 1 : 60) * flt(percent)) / 100);
		const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
		if (!hours) return __("{0}m", [rest]);
		return rest ? __("{0}h {1}m", [hours, rest]) : __("{0}h", [hours]);
	};
}
