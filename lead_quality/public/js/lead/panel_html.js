// The panel of a lead as HTML, piece by piece. `data` is what `get_panel` has answered.

import { deadline, instant, when_short } from "../desk/deadlines.js";
import { VERDICT } from "../engine/colours.js";
import { fill, html, trusted } from "../engine/markup.js";
import {
	ageing,
	BEFORE_OPPORTUNITY,
	CHANNEL_ICONS,
	is_closed,
	opt_out_in_words,
	quick_outcomes,
	reason_itself,
	split_clocks,
	STAGES,
} from "./words.js";

const url = (doctype, name) => frappe.utils.get_form_link(doctype, name);
const button = (action, label, value = "", colour = "btn-default") =>
	html`<button class="btn btn-xs ${colour}" data-action="${action}" data-value="${value}">${label}</button>`;

// Who may not write the lead is shown where it stands, and offered nothing that the server would refuse.
export const panel_html = (data, { may_write }) => html`
	<div class="lead-quality-panel border-bottom px-4 py-3">
		${funnel_html(data)} ${priority_html(data)} ${no_owner_html(data, may_write)} ${away_html(data)} ${opt_outs_html(data)}
		${hints_html(data)}
		<div class="row mt-3">
			<div class="col-sm-4 mb-3">${qualification_html(data, may_write)}</div>
			<div class="col-sm-4 mb-3">${next_touch_html(data, may_write)}</div>
			<div class="col-sm-4 mb-3">${clocks_html(data)}${ageing_html(data)}</div>
		</div>
		${touches_html(data)}
	</div>
`;

export const verdict_html = (verdict) =>
	html`<span class="indicator-pill no-indicator-dot whitespace-nowrap d-none d-md-inline-flex ml-2 ${VERDICT[verdict]}" data-verdict>${__(verdict)}</span>`;

function funnel_html({ stage: present, segment }) {
	const reached = STAGES.indexOf(present);
	const arrow = html`<span class="text-muted">→</span>`;
	const steps = STAGES.map((stage, index) => {
		const colour = index === reached ? "blue" : index < reached ? "green" : "gray";
		const done = index < reached ? "✓ " : "";
		return html`${index ? arrow : ""}<span class="indicator-pill no-indicator-dot ${colour} text-capitalize" data-stage="${stage}">${done}${__(stage)}</span>`;
	});
	return html`<div class="d-flex align-items-center flex-wrap" style="gap: 6px">
		${steps}${segment && html`<span class="text-muted small ml-auto">${__("Segment")}: ${segment}</span>`}
	</div>`;
}

// how likely it is to buy beside past leads, why, and what would raise that
function priority_html({ priority: likely }) {
	if (!likely) return "";
	const reasons = likely.reasons.map(
		({ words, raises }) =>
			html`<span class="indicator-pill no-indicator-dot ${raises ? "green" : "orange"}" data-reason>${raises ? "↑" : "↓"} ${words}</span>`,
	);
	const raise = likely.raises.map(({ words }) => words).join(", ");
	return html`<div class="small mt-2 d-flex align-items-center flex-wrap" style="gap: 6px" data-priority="${likely.priority}">
		<b title="${likely.summary}">${__("Priority {0}", [likely.priority])}</b>${reasons}
		<span class="text-muted">${likely.summary}</span>
		${raise && html`<span class="text-muted" data-raise>${__("Would raise it: {0}", [raise])}</span>`}
	</div>`;
}

const has_fault = ({ attention }, fault) => Boolean(attention?.faults?.includes(fault));

function no_owner_html(data, may_write) {
	if (!has_fault(data, "No Owner")) return "";
	const mend = may_write ? button("take", __("Assign to me")) : __("Ask your manager to assign it.");
	const words = __("This lead has no owner who can be notified of its deadlines.");
	return html`<div class="small mt-2 d-flex flex-wrap align-items-center" style="gap: 8px" data-fault="No Owner">
		<span><span class="indicator red"></span>${words}</span>${mend}
	</div>`;
}

const away_html = ({ away }) =>
	away && html`<div class="small mt-2" data-away><span class="indicator orange"></span>${away}</div>`;

function opt_outs_html({ opt_outs }) {
	const words = opt_out_in_words(opt_outs);
	return (
		words &&
		html`<div class="small mt-2" data-opt-outs><span class="indicator red"></span><b>${words}</b></div>`
	);
}

// what automatic answers say of the person, and which leads may be the same person
function hints_html({ absences = [], likely_duplicates = [] }) {
	const lines = absences.map(
		({ text }) =>
			html`<div class="small mt-2" data-absence><span class="indicator orange"></span>${text}</div>`,
	);
	if (!likely_duplicates.length) return lines;
	const links = likely_duplicates.map(
		({ name, title }, index) =>
			html`${index ? ", " : ""}<a href="${url("Lead", name)}">${title || name}</a>`,
	);
	const words = fill(__("Perhaps the same person: {0}."), links);
	return [
		...lines,
		html`<div class="small mt-2" data-duplicates><span class="indicator orange"></span>${words}</div>`,
	];
}

function qualification_html(data, may_write) {
	const q = data.qualification;
	const share = q.criteria_count ? (100 * q.met_count) / q.criteria_count : 0;
	// the count stands above it already
	const reason = (q.reason || "")
		.replace(__("{0} of {1} met.", [q.met_count, q.criteria_count]), "")
		.trim();
	return html`
		<div class="small text-muted">${__("Qualification")}</div>
		<div class="d-flex align-items-center mt-1" style="gap: 8px">
			<b>${__("{0} of {1} criteria", [q.met_count, q.criteria_count])}</b>
			<span class="indicator-pill ${VERDICT[q.verdict]}">${__(q.verdict)}</span>
		</div>
		<div class="progress mt-2" style="height: 6px">
			<div class="progress-bar ${share === 100 && "bg-success"}" style="width: ${share}%"></div>
		</div>
		<div class="small text-muted mt-1">${reason}</div>
		${profile_html(data)}${hint_html(data, may_write)}
		<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
			${may_write && [qualify_html(q), triage_html(data)]} ${override_html(data, may_write)}
			${handover_html(data, may_write)}
		</div>
	`;
}

function profile_html({ profile: { filled, total, missing } }) {
	const title = missing.length ? __("Missing: {0}", [missing.join(", ")]) : "";
	return html`<div class="small text-muted mt-1" data-profile title="${title}">
		${__("Company profile {0} of {1}", [filled, total])}
	</div>`;
}

// the hint is HTML of the server's: it links to the supplier or the competitor
const hint_html = ({ hint }, may_write) =>
	hint &&
	html`<div class="small mt-1 d-flex flex-wrap align-items-center" style="gap: 4px" data-hint>
		<span>${trusted(hint)}</span>${may_write && button("disqualify", __("Disqualify"))}
	</div>`;

// answers change nothing for as long as a person has decided that it is no lead
const qualify_html = (q) => (q.decision === "Disqualified" ? "" : button("qualify", __("Qualify")));

function triage_html({ qualification: q, hint }) {
	const disqualify = hint ? "" : button("disqualify", __("Disqualify"));
	if (q.decision) {
		const undo = button("take_back", __("Take back"));
		return q.decision === "Nurture" ? [undo, disqualify] : undo;
	}
	if (q.verdict === "Disqualified" || q.verdict === "Sales Ready") return "";
	const pick = (horizon) => (q.horizon === horizon ? "btn-primary-light" : "btn-default");
	return [
		button("horizon", __("Near Term"), "Near Term", pick("Near Term")),
		button("horizon", __("Long Term"), "Long Term", pick("Long Term")),
		disqualify,
	];
}

function override_html({ qualification: q, stage, overridden, may_override }, may_write) {
	if (q.verdict === "Sales Ready" || !BEFORE_OPPORTUNITY.includes(stage)) return "";
	const is_decided = q.decision || q.verdict === "Disqualified";
	const names = (overridden || []).map((doctype) => __(doctype)).join(", ");
	return [
		names && html`<span class="indicator-pill orange">${__("Gate overridden: {0}", [names])}</span>`,
		may_write && may_override?.length && !is_decided ? button("override", __("Override…")) : "",
	];
}

function handover_html({ qualification: q, stage, handover }, may_write) {
	if (!handover)
		return may_write && q.verdict === "Sales Ready"
			? button("hand_over", __("Hand Over"), "", "btn-primary")
			: "";
	const link = (label) =>
		html`<a class="btn btn-xs btn-default" title="${handover.away}" href="${url("Lead Handover", handover.name)}">${label}</a>`;
	if (handover.status === "Sent") {
		return handover.is_mine
			? button("open_handover", __("Accept or reject"), handover.name, "btn-primary")
			: link(__("Waits for {0}", [handover.to_name]));
	}
	const may_create = BEFORE_OPPORTUNITY.includes(stage) && frappe.model.can_create("Opportunity");
	return [
		may_create && button("create_opportunity", __("Create Opportunity"), "", "btn-primary"),
		link(__("Accepted by {0}", [handover.to_name])),
	];
}

function next_touch_html(data, may_write) {
	if (!data.may_read["Lead Touch"]) return "";
	const touch = data.next_touch;
	const title = html`<div class="small text-muted">${__("Next Touch")}</div>`;
	if (!touch) return html`${title}${nothing_planned_html(data, may_write)}`;
	const closed = is_closed(data.opt_outs, touch.channel);
	const outcomes = closed ? [] : outcome_buttons(data);
	const snooze = is_resting(data) ? __("Snooze longer…") : __("Snooze…");
	const buttons = html`<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
		${outcomes} ${button("log", __("Other…"))} ${button("snooze", snooze)} ${opt_out_button(data)}
	</div>`;
	return html`${title}
		<div class="mt-1">
			<b>${CHANNEL_ICONS[touch.channel] || "•"} ${touch.step}</b>
			<span class="text-muted small">${touch.step !== touch.channel && __(touch.channel)}</span>
		</div>
		${due_html(data)}
		<div class="small text-muted mt-1 font-italic">${touch.script}</div>
		${may_write && buttons}`;
}

function outcome_buttons({ next_touch: { channel }, qualification }) {
	const outcomes = quick_outcomes(channel).map((outcome) => button("outcome", __(outcome), outcome));
	if (channel === "Email") {
		// one black button at a time: a lead that is ready is to be handed over first
		const colour = qualification.verdict === "Sales Ready" ? "btn-default" : "btn-primary";
		return [button("email", __("Write e-mail"), "", colour), ...outcomes];
	}
	return channel === "Phone" ? outcomes : [button("outcome", __("Done"), ""), ...outcomes];
}

function nothing_planned_html(data, may_write) {
	const is_over = data.stage === "sale" || data.qualification.verdict === "Disqualified";
	const hint =
		has_fault(data, "No Next Step") &&
		html`<div class="small mt-1" data-fault="No Next Step">
			<span class="indicator red"></span>${__("An open lead needs a next step with a date.")}
		</div>`;
	const buttons = html`<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
		${!is_over && button("enroll", __("Start a cadence"))} ${button("log", __("Log a touch"))}
		${opt_out_button(data)}
	</div>`;
	return html`<div class="mt-1"><b>${__("Nothing planned")}</b></div>
		${hint}${may_write && buttons}`;
}

// nothing is left to ask for where all is closed
const opt_out_button = ({ opt_outs }) =>
	Array.isArray(opt_outs) && !is_closed(opt_outs, "All") && button("opt_out", __("Wants no…"));

// a cadence that rests says so, and why; once its time has come it is due like any other, whether or not a job
// has woken it
export const is_resting = ({ enrollment }) =>
	enrollment?.status === "Snoozed" && instant(enrollment.snoozed_until) > Date.now();

// One deadline a touch: by its clock where one runs, else by the plan. What is planned is no deadline beside it.
function due_html(data) {
	const touch = data.next_touch;
	if (is_resting(data)) {
		const { snoozed_until, snooze_reason } = data.enrollment;
		return html`<div class="small" data-resting>
			${deadline({ ...touch, paused_until: snoozed_until }, { look: "rest" })}
			<div class="text-muted">${reason_itself(snooze_reason, "Snooze")}</div>
		</div>`;
	}
	const clock = split_clocks(data).of_touch;
	const planned = html`<span data-planned>${__("planned for {0}", [when_short(instant(touch.due_at))])}</span>`;
	if (!clock) return html`<div class="small">${planned} ${deadline(touch)}</div>`;
	const latest = __("at the latest {0}", [when_short(instant(clock.due_at))]);
	return html`<div class="small" data-clock="${clock.clock}">
		<div>${planned}</div>
		<div>${latest} ${deadline(clock, { title: __("Due") })}</div>
		${by_system_html(clock)}
	</div>`;
}

const by_system_html = ({ missed_by_system }) =>
	missed_by_system
		? html`<div class="text-muted" data-by-system>
				${__("Missed by the system, which was not running: it counts against nobody.")}
			</div>`
		: "";

function clocks_html(data) {
	if (!data.may_read["Follow Up Clock"]) return "";
	const rows = split_clocks(data).others.map(
		(clock) =>
			html`<div class="small mt-1" data-clock="${clock.clock}">
				<div class="d-flex justify-content-between flex-wrap" style="column-gap: 8px">
					<span 	>${__(clock.clock)}
						<span class="text-muted" data-at>${when_short(instant(clock.due_at))}</span></span
					>${deadline(clock, { title: __("Due") })}
				</div>
				${by_system_html(clock)}
			</div>`,
	);
	const title = html`<div class="small text-muted">${__("Deadlines")}</div>`;
	if (rows.length) return html`${title}${rows}`;
	// the deadline of the next touch stands beside it
	return data.clocks.length ? "" : html`${title}<div class="small mt-1">✓ ${__("Nothing is due")}</div>`;
}

// how long the lead keeps, in small print
function ageing_html({ attention }) {
	const { stale_on, shelf_life_ends_on } = attention || {};
	const today = frappe.datetime.system_datetime();
	const show = (day) => frappe.datetime.str_to_user(day);
	const line = (kind, day) => {
		if (!day) return "";
		const { colour, text } = ageing(kind, day, today, show);
		const css = colour ? `indicator ${colour} ${colour === "red" ? "text-danger" : ""}` : "text-muted";
		return html`<div class="small">
			<span class="${css}" data-ageing="${kind}" title="${show(day)}">${text}</span>
		</div>`;
	};
	return html`<div class="mt-2">${line("stale", stale_on)}${line("shelf_life", shelf_life_ends_on)}</div>`;
}

function touches_html({ touches }) {
	if (!touches.length) return "";
	const rows = touches.map((touch) => {
		const words = [__(touch.channel), touch.outcome && __(touch.outcome), touch.note].filter(Boolean);
		return html`<div class="small text-muted ellipsis">
			${trusted(frappe.datetime.comment_when(touch.done_at))} · ${words.join(" · ")}
		</div>`;
	});
	return html`<div class="border-top pt-2">${rows}</div>`;
}

// `clocks` as `effect_of_snooze` sorts them.
export function effect_of_snooze_html(step, { paused, late, running }) {
	const names = (clocks) => clocks.map(({ clock }, index) => html`${index ? ", " : ""}<b>${__(clock)}</b>`);
	const lines = [
		fill(
			__("The cadence is on hold: {0} is due then. Logging a touch before that resumes it."),
			html`<b>${step}</b>`,
		),
		paused.length && fill(__("Paused until then: {0}."), names(paused)),
		late.length && fill(__("Overdue already, so not paused: {0}."), names(late)),
		running.length && fill(__("Still running: {0}."), names(running)),
	];
	return html`<ul class="small text-muted pl-3 mb-0" data-effect>
		${lines.filter(Boolean).map((line) => html`<li>${line}</li>`)}
	</ul>`;
}
