// The qualification sheet as HTML: its head, a card a criterion, a line an answer.

import { VERDICT } from "../engine/colours.js";
import { fill, html, trusted } from "../engine/markup.js";

export const GRADES = ["Observed", "Stated", "Inferred", "Assumed"];
const HORIZONS = ["Near Term", "Long Term"];
// more choices than this are a list to choose from, not buttons
const MOST_BUTTONS = 6;

const channel_labels = () => ({
	guidance: __("General"),
	guidance_phone: __("Phone"),
	guidance_chat: __("Chat"),
	guidance_web_form: __("Web form"),
	guidance_trade_show: __("Trade show"),
});
export const CHANNELS = [
	"guidance",
	"guidance_phone",
	"guidance_chat",
	"guidance_web_form",
	"guidance_trade_show",
];

const states = () => ({
	Met: ["green", __("Met")],
	"Not Met": ["red", __("Not met")],
	Open: ["gray", __("Open")],
	Stale: ["orange", __("Stale")],
	Unvalued: ["orange", __("No exchange rate")],
});

const STYLE = html`<style>
	.lq-sheet .lq-card { border: 1px solid var(--border-color); border-radius: var(--border-radius-md, 8px);
		padding: 12px; margin-bottom: 10px; }
	.lq-sheet .lq-card.lq-edited { border-color: var(--blue-400, #70b6f0); }
	.lq-sheet .lq-card.lq-refused { border-color: var(--red-400, #f47a7a); }
	.lq-sheet .lq-group { display: flex; flex-wrap: wrap; gap: 6px; }
	.lq-sheet .lq-line + .lq-line { border-top: 1px dashed var(--border-color); margin-top: 8px; padding-top: 8px; }
	.lq-sheet .answer { max-width: 640px; }
	.lq-sheet .answer .frappe-control { margin-bottom: 0; max-width: 220px; }
	.lq-sheet .lq-more { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
	.lq-sheet .lq-more .lq-group { gap: 4px; }
	.lq-sheet .lq-more .btn, .lq-sheet [data-head] .btn { padding: 1px 6px; font-size: 12px; }
	.lq-sheet [role=radio]:focus { box-shadow: 0 0 0 2px var(--blue-300, #90c5f4); }
	@media (pointer: coarse), (max-width: 767px) {
		.lq-sheet .btn, .lq-sheet .answer .form-control { min-height: 36px; }
		.lq-sheet .answer .form-control { font-size: 16px; }
	}
</style>`;

const pill = (label, value, tabindex = 0) =>
	html`<button type="button" role="radio" aria-checked="false" class="btn btn-sm btn-default"
		data-value="${value}" tabindex="${tabindex}">${label}</button>`;

export const sheet_html = (data, lead, channels) => html`
	<div class="lq-sheet">${STYLE}${head_html(data, lead, channels)}
		<div class="lq-cards"></div></div>`;

function head_html(data, lead, channels) {
	const { verdict, met_count, criteria_count } = data;
	const share = criteria_count ? (100 * met_count) / criteria_count : 0;
	const labels = channel_labels();
	const asked = channels.length > 1 ? channels.map((key) => pill(labels[key], key)) : [];
	const horizons = HORIZONS.map((horizon) => pill(__(horizon), horizon));
	const row = (title, what, pills) =>
		pills.length > 0 &&
		html`<div class="d-flex align-items-center flex-wrap" style="gap: 6px">
			<span class="small text-muted">${title}</span>
			<div class="lq-group" role="radiogroup" aria-label="${title}" data-set="${what}">${pills}</div>
		</div>`;
	return html`<div class="mb-3" data-head>
		<div class="d-flex align-items-center flex-wrap" style="gap: 8px">
			<b>${__("{0} of {1} met", [met_count, criteria_count])}</b>
			<span class="indicator-pill ${VERDICT[verdict]}">${__(verdict)}</span>
			<a class="small ml-auto d-md-none" href="${frappe.utils.get_form_link("Lead", lead)}">
				${__("Back to the lead")}</a>
		</div>
		<div class="progress mt-2" style="height: 6px">
			<div class="progress-bar ${share === 100 && "bg-success"}" style="width: ${share}%"></div>
		</div>
		<div class="small mt-2" data-reason>${reason_of(data)}</div>
		<div class="small text-muted">${data.definition}</div>
		<div class="d-flex flex-wrap mt-2" style="gap: 8px 24px">
			${row(__("How to ask"), "channel", asked)}${row(__("Horizon"), "horizon", horizons)}
		</div>
	</div>`;
}

// that nobody was asked anything yet is in sight on every card
function reason_of({ reason, verdict, criteria, met_count, criteria_count }) {
	const untouched = criteria.every((criterion) => criterion.state === "Open");
	if (verdict === "Open" && untouched) return "";
	return (reason || "").replace(__("{0} of {1} met.", [met_count, criteria_count]), "").trim();
}

export function card_html({ criterion, topic, mandatory, knock_out, label }) {
	const badge = (text, title) =>
		html`<span class="indicator-pill no-indicator-dot gray" title="${title}">${text}</span>`;
	return html`
		<div class="lq-card" data-criterion="${criterion}">
			<div class="d-flex align-items-start" style="gap: 8px">
				<div class="mr-auto">
					<div class="small text-muted d-flex align-items-center flex-wrap" style="gap: 6px">
						${__(topic || "")}
						${mandatory ? badge(__("Mandatory"), __("Without it the lead is not sales ready.")) : ""}
						${knock_out ? badge(__("Knock-out"), __("If it is not met, the lead is disqualified.")) : ""}
					</div>
					<b>${__(label)}</b>
				</div>
				<span class="text-right" data-state></span>
			</div>
			<div class="small text-muted font-italic mb-2" data-guidance></div>
			<div data-lines></div>
		</div>`;
}

export const confidential_html = () => html`<span class="text-muted">${__("Confidential")}</span>`;

// `line` has the criterion and its key, `choices` and `currencies`; `who` is left out where nobody else is asked.
export function line_html(line, contact, is_alone) {
	const who = contact.name
		? html`<b>${contact.full_name || contact.name}</b> <span class="text-muted">${contact.designation}</span>`
		: html`<span class="text-muted">${__("The company as a whole")}</span>`;
	const grades = GRADES.map((grade) => pill(__(grade), grade, -1));
	return html`
		<div class="lq-line" data-contact="${contact.name}">
			${!(is_alone && !contact.name) && html`<div class="small mb-1">${who}</div>`}
			<div class="answer">${answer_html(line)}</div>
			<div class="lq-more mt-2">
				<div class="lq-group" role="radiogroup" aria-label="${__("Evidence")}" data-set="evidence">${grades}</div>
				<span data-source></span>
				<a href="#" class="small" tabindex="-1" data-do="note">${__("Add a note")}</a>
			</div>
			<textarea class="form-control mt-2 note" rows="2" style="height: auto" tabindex="-1"
				aria-label="${__("Note")}" placeholder="${__("Note")}"></textarea>
			<div class="small text-danger" data-error></div>
			<div class="small text-muted mt-1" data-stamp></div>
		</div>`;
}

function answer_html({ criterion, key, choices, currencies }) {
	const label = __(criterion.label);
	if (criterion.answer_type === "Date") return "";
	if (criterion.answer_type === "Number") {
		const options = currencies.map((name) => html`<option>${name}</option>`);
		const currency =
			criterion.currency &&
			html`<select class="form-control" data-currency style="width: 90px"
				aria-label="${__("Currency")}">${options}</select>`;
		return html`<div class="d-flex" style="gap: 6px"><input class="form-control" style="max-width: 220px"
			inputmode="decimal" autocomplete="off" data-focus="${key}" aria-label="${label}">${currency}</div>`;
	}
	if (criterion.answer_type === "Text") {
		return html`<textarea class="form-control" rows="2" style="height: auto"
			data-focus="${key}" aria-label="${label}"></textarea>`;
	}
	if (choices.length > MOST_BUTTONS) {
		const options = ["", ...choices].map(
			(choice) => html`<option value="${choice}">${__(choice)}</option>`,
		);
		return html`<select class="form-control" data-focus="${key}" aria-label="${label}">${options}</select>`;
	}
	return html`<div class="lq-group" role="radiogroup" aria-label="${label}" data-set="value">
		${choices.map((choice) => pill(__(choice), choice))}</div>`;
}

export const source_title = ({ title, at }) => `${title} · ${frappe.datetime.str_to_user(at?.slice(0, 10))}`;

export const source_html = (type, name, title, may_write) =>
	html`<span class="small">${__("Came from")}
		<a href="${frappe.utils.get_form_link(type, name)}">${title}</a>
		${
			may_write &&
			html`<a href="#" data-do="no-source" tabindex="-1"
			title="${__("It came from elsewhere")}">✕</a>`
		}</span>`;

export const sources_html = (sources) =>
	sources.length > 0 &&
	html`<select class="form-control input-xs" data-sources tabindex="-1" aria-label="${__("Came from")}"
		style="width: 150px"><option value="">${__("Came from…")}</option>${sources.map(
			(source, index) => html`<option value="${index}">${source_title(source)}</option>`,
		)}</select>`;

export const unsaved_html = () =>
	html`${__("Not saved yet")} · <a href="#" data-do="undo" tabindex="-1">${__("Undo")}</a>`;

export function stamp_html({ answered_on, answered_name, state }, from_lead, may_write) {
	if (!answered_on) return "";
	const when = trusted(frappe.datetime.comment_when(answered_on));
	const words = from_lead ? fill(__("Taken from the lead {0}"), when) : html`${answered_name} · ${when}`;
	if (state !== "Stale" || !may_write) return words;
	return html`${words} · ${__("out of date, ask again")}
		<button type="button" class="btn btn-xs btn-default ml-1" data-do="still">${__("Still right")}</button>`;
}

export function state_html({ state, needs, state_in_words }, is_edited) {
	let [colour, words] = states()[state];
	let why = state === "Not Met" ? __("needs {0}", [needs]) : "";
	if (state === "Unvalued") why = state_in_words;
	if (is_edited) [colour, words, why] = ["blue", __("Not saved"), ""];
	return html`<span class="indicator-pill ${colour} whitespace-nowrap">${words}</span>
		${why && html`<div class="small text-muted mt-1">${why}</div>`}`;
}
