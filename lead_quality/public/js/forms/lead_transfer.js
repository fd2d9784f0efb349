// The form of a Lead Transfer: what there is to give before it begins, how far it is, and what has become of it.

import { confirm, element, refused } from "../desk/dialogs.js";
import { document_of, is_on_screen } from "../desk/form.js";
import { bar } from "../desk/requalify.js";
import { RUN } from "../engine/colours.js";
import { bold, fill, html } from "../engine/markup.js";

const EVENT = "lead_quality_transfer"; // as handover/transfer.py says it
const LOOK_AGAIN = 3000; // milliseconds

const figure = (count) => format_number(count || 0, null, 0);
const is_open = ({ doc }) => ["Queued", "Running"].includes(doc.status);
const lines_html = (lines) =>
	lines.filter(Boolean).map((line, index) => html`${index ? html`<br>` : ""}${line}`);

export const lead_transfer_form = {
	setup(frm) {
		frm.set_query("from_user", () => ({ query: "lead_quality.desk.search.givers" }));
		frm.set_query("to_user", () => ({ query: "lead_quality.desk.search.lead_workers" }));
		frm.set_query("assignment_rule", () => ({ query: "lead_quality.desk.search.lead_rules" }));
		// chosen by name only: Frappe lets System Managers read a rule, and nobody else
		frm.set_df_property("assignment_rule", "ignore_link_validation", 1);
		frappe.realtime.on(EVENT, (progress) => {
			if (progress.name === frm.doc.name && is_on_screen(frm)) take(frm, progress);
		});
	},
	refresh(frm) {
		frm.disable_save();
		say(frm, "");
		if (frm.is_new()) {
			frm.page.set_primary_action(__("Give Leads Away"), () => ask_first(frm).catch(refused));
			preview(frm).catch(refused);
		} else {
			show(frm);
		}
	},
	from_user: (frm) => preview(frm).catch(refused),
	give_to(frm) {
		frm.set_value({ to_user: null, assignment_rule: null });
	},
};

function say(frm, markup) {
	frm.layout.wrapper.find(".lq-transfer").remove();
	if (markup)
		frm.layout.wrapper.prepend(element(html`<div class="lq-transfer p-3 border-bottom">${markup}</div>`));
}

const in_words = ({ giver, leads, handovers }) => html`
	${
		leads === 1
			? fill(__("{0} owns one lead in work."), bold(giver))
			: fill(__("{0} owns {1} leads in work."), bold(giver), bold(figure(leads)))
	}
	${
		handovers === 1
			? __("One handover is waiting for an answer.")
			: handovers > 1 && fill(__("{0} handovers are waiting for an answer."), bold(figure(handovers)))
	}`;

const look_up = ({ from_user, to_user }) =>
	frappe.xcall("lead_quality.api.preview_transfer", { from_user, to_user });

// What there is to give, as soon as it is known whose leads they are.
async function preview(frm) {
	const { from_user } = frm.doc;
	say(frm, "");
	if (!frm.is_new() || !from_user) return;
	const found = await look_up(frm.doc);
	if (frm.doc.from_user === from_user && frm.is_new()) say(frm, in_words(found));
}

const receiver_in_words = ({ give_to, assignment_rule }, receiver) =>
	({
		User: fill(__("They go to {0}."), bold(receiver)),
		"Assignment Rule": fill(
			__("The Assignment Rule {0} chooses their new owners."),
			bold(assignment_rule),
		),
		"Segment Owner": __("They go to the owners of their segments."),
	})[give_to];

async function ask_first(frm) {
	if (!(await document_of(frm)) || !frappe.ui.form.check_mandatory(frm)) return;
	const found = await look_up(frm.doc);
	const lines = lines_html([
		in_words(found),
		found.leads > 0 && receiver_in_words(frm.doc, found.receiver),
		found.handovers > 0 && __("Handovers go back to their senders."),
	]);
	confirm(html`${lines}`, () => frm.save());
}

function take(frm, progress) {
	Object.assign(frm.doc, progress);
	if (is_open(frm)) say(frm, progress_html(frm.doc));
	else frm.reload_doc();
}

// No realtime connection is needed for it.
function look(frm) {
	clearTimeout(frm.lq_timer);
	const { name } = frm.doc;
	frm.lq_timer = setTimeout(async () => {
		if (!is_on_screen(frm) || frm.doc.name !== name || !is_open(frm)) return;
		try {
			const fields = ["status", "found", "moved", "failed", "handovers"];
			const { message } = await frappe.db.get_value("Lead Transfer", name, fields);
			if (frm.doc.name === name && is_open(frm)) take(frm, message);
		} catch (reason) {
			refused(reason);
		} finally {
			if (frm.doc.name === name && is_open(frm)) look(frm);
		}
	}, LOOK_AGAIN);
}

const progress_html = ({ found, moved }) => html`
	<div class="small mb-2">
		${__("Transferring leads: {0} of {1}.", [figure(moved), found ? figure(found) : "…"])}
		<span class="text-muted">${__("You can leave this page in the meantime.")}</span>
	</div>
	${bar(moved, found)}`;

function show(frm) {
	frm.page.set_indicator(__(frm.doc.status), RUN[frm.doc.status]);
	if (is_open(frm)) {
		say(frm, progress_html(frm.doc));
		look(frm);
		return;
	}
	say(frm, result_html(frm.doc));
	if (frm.doc.moved) {
		frm.add_custom_button(__("Leads Given Away"), () =>
			frappe.set_route("List", "Lead Holding", { transfer: frm.doc.name }),
		);
	}
}

function result_html(doc) {
	const full_names = doc.__onload?.full_names || {};
	const giver = bold(full_names[doc.from_user] || doc.from_user);
	const failed =
		doc.failed &&
		html`<span class="text-danger">${fill(
			__("Leads that could not be moved: {0}. See Errors below, fix them and start again."),
			bold(figure(doc.failed)),
		)}</span>`;
	const receivers = (doc.receivers || []).map(({ user, leads }, index) => {
		const route = user
			? `lead?lead_owner=${encodeURIComponent(user)}`
			: "query-report/Leads%20at%20Risk?show=Leads&fault=No%20Owner";
		const name = user ? full_names[user] || user : __("Nobody");
		return html`${index ? " · " : ""}<a style="text-decoration: underline" href="/app/${route}">${name}</a>: ${figure(leads)}`;
	});
	return html`${lines_html([
		doc.moved === 1
			? fill(__("One lead of {0} has been transferred."), giver)
			: fill(__("{0} leads of {1} have been transferred."), bold(figure(doc.moved)), giver),
		doc.handovers &&
			fill(__("Handovers that went back to their senders: {0}."), bold(figure(doc.handovers))),
		failed,
		receivers.length && receivers,
	])}`;
}

export const lead_transfer_list = {
	get_indicator: ({ status }) => [__(status), RUN[status], `status,=,${status}`],
};
