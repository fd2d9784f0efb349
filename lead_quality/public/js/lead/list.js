// The list of leads: what burns at a glance.

import { deadline, state_of_clock } from "../desk/deadlines.js";
import { element } from "../desk/dialogs.js";
import { order_by } from "../desk/order.js";
import { VERDICT } from "../engine/colours.js";
import { last_question } from "../engine/latest.js";
import { html } from "../engine/markup.js";
import { queue_order, says_nothing_of } from "../engine/route.js";
import { HOUR, most_urgent } from "../engine/time.js";

const DUE = "lq_due_at";
const PRIORITY = "lq_priority";
const AGE = ["creation", "asc"];
const URGENT = HOUR; // before a deadline whose clock is not known, or may not be read
const LOOK_AGAIN = 60_000; // milliseconds
const OPEN = ["Running", "Paused", "Missed"];
const latest = last_question();

// the edge of a row shows from afar what the words beside it say
const edge = (state, colour) => `
	.list-row-container:has([data-due-of] [data-state="${state}"]) {
		box-shadow: inset 3px 0 0 var(--${colour}-500);
		border-top-left-radius: 0;
		border-bottom-left-radius: 0;
	}`;
// room for the clock's name beside the deadline, which comes a moment after the row; and on a narrow screen the title
// gives way
const ROOM = `
	.list-row-col:has(> [data-due-of]:first-child), .list-row-col:has(> [data-sort-by=${DUE}]) {
		flex: 1.8;
		min-width: 210px;
	}
	.list-subject > [data-due-of] { flex: none; margin-left: auto; padding-left: 8px; }
	.list-subject:has(> [data-due-of]) > .ellipsis { flex-shrink: 1; }`;

// lead to its most urgent clock, as read last
let clocks = {};
// once for all rows that are drawn together
const look_soon = frappe.utils.debounce(() => {
	if (cur_list?.doctype === "Lead" && cur_list.view_name === "List") look(cur_list);
}, 50);

export function lead_list(settings) {
	frappe.dom.set_style(ROOM + edge("Overdue", "red") + edge("Warning", "orange"), "lead-quality-list");
	return {
		...settings,
		add_fields: [...(settings.add_fields || []), "lq_verdict", DUE, "lq_non_buyer", PRIORITY],
		formatters: {
			...settings.formatters,
			lq_verdict: (value, df, lead) => String(verdict_html(value, lead)),
			[DUE]: (value, df, lead) => {
				look_soon();
				return String(cell_html(lead));
			},
		},
		onload(list) {
			settings.onload?.(list);
			begin(list);
		},
	};
}

function begin(list) {
	if (frappe.model.can_create("Lead Transfer")) {
		list.page.add_menu_item(__("Give Leads Away"), () => frappe.new_doc("Lead Transfer"));
	}
	// reports and boards of leads are lists too, with columns and orders of their own
	if (list.view_name !== "List") return;
	order_by(list, {
		// who sorts by it wants to see what is due, the first first; and of priorities, the highest
		first: { [DUE]: "asc", [PRIORITY]: "desc" },
		// among equals the likeliest comes first, then the lead that has waited longest
		ties: {
			[DUE]: [[PRIORITY, "desc"], AGE],
			lq_met_count: [[PRIORITY, "desc"], AGE],
			[PRIORITY]: [AGE],
		},
		async chosen(fieldname, order) {
			// The database puts first what is not due at all, so that is filtered out: in sight of the user, who may
			// take the filter off.
			if (fieldname === DUE && order === "asc")
				await list.filter_area.add([["Lead", DUE, "is", "set"]], false);
		},
	});
	// a link to the list brings filters of its own; one to leads that wait for somebody opens a queue, any other one leaves
	// the order as it was
	const arrive = () => {
		const queue = queue_order(frappe.route_options);
		if (queue) list.sort_selector?.set_value(...queue);
		const { sort_by, sort_order } = list.sort_selector || {};
		if (sort_by !== DUE || sort_order !== "asc") return;
		if (says_nothing_of(frappe.route_options, DUE)) frappe.route_options[DUE] = ["is", "set"];
	};
	arrive();
	$(list.parent).on("show", arrive);
	setInterval(() => {
		if (cur_list === list && list.$result.is(":visible") && !document.hidden) look(list);
	}, LOOK_AGAIN);
}

function verdict_html(verdict, lead) {
	const non_buyer = cint(lead.lq_non_buyer) > 0;
	return html`${priority_html(lead)}
		${verdict && html`<span class="indicator-pill ${VERDICT[verdict]}">${__(verdict)}</span>`}
		${non_buyer && html`<span class="small text-muted">${__("Not a buyer")}</span>`}`;
}

// who sorts by it wants to see by what
function priority_html(lead) {
	if (cur_list?.sort_selector?.sort_by !== PRIORITY) return "";
	const words = __("Priority {0}", [cint(lead[PRIORITY])]);
	return html`<b class="small" data-priority title="${words}">${cint(lead[PRIORITY])}</b>`;
}

function due_html(lead) {
	if (!lead[DUE] || cint(lead.lq_non_buyer)) return "";
	const known = clocks[lead.name];
	if (known?.due_at !== lead[DUE]) {
		const warn_at = moment(lead[DUE]).subtract(URGENT, "ms").format(frappe.defaultDatetimeFormat);
		return deadline({ due_at: lead[DUE], warn_at }, { look: "pill" });
	}
	const name = __(known.clock);
	return html`${deadline(known, { look: "pill", title: name })}
		<span class="small text-muted hidden-xs">${name}</span>`;
}

// Frappe leaves no room on a narrow screen for what is `filterable` and empty (v16).
function cell_html(lead) {
	const due = due_html(lead);
	return html`<span data-due-of="${lead.name}" class="${due ? "" : "filterable"}">${due}</span>`;
}

// Where a narrow screen does not show the column Due (v15), it stands beside the title.
function show_beside_title(list) {
	if (!frappe.is_mobile()) return;
	for (const lead of list.data) {
		const $row = list.$result
			.find(`.list-row-checkbox[data-name="${CSS.escape(lead.name)}"]`)
			.closest(".list-row-container");
		if ($row.find(".mobile-layout, .list-subject > [data-due-of]").length) continue;
		$row.find(".list-subject").append(element(cell_html(lead)));
	}
}

// The clocks of the leads that are shown, in one query, which no realtime connection is needed for.
async function look(list) {
	show_beside_title(list);
	const names = list.data.map((lead) => lead.name);
	if (!names.length || !frappe.model.can_read("Follow Up Clock")) return;
	const question = frappe.xcall("frappe.client.get_list", {
		doctype: "Follow Up Clock",
		filters: { lead: ["in", names], stopped_at: ["is", "not set"], status: ["in", OPEN] },
		fields: ["lead", "clock", "warn_at", "due_at", "paused_until"],
		order_by: "due_at asc",
		limit_page_length: 0,
	});
	const rows = await latest(question);
	if (!rows) return;
	clocks = most_urgent(rows, (clock) => state_of_clock(clock) === "Paused");
	for (const lead of list.data.filter((lead) => names.includes(lead.name))) {
		lead[DUE] = clocks[lead.name]?.due_at || null;
		const due = due_html(lead);
		list.$result
			.find(`[data-due-of="${CSS.escape(lead.name)}"]`)
			.html(String(due))
			.toggleClass("filterable", !due);
	}
}
