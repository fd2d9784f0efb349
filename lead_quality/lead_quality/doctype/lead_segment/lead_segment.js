frappe.ui.form.on("Lead Segment", {
	setup(frm) {
		for (const fieldname of ["checklist", "cadence"]) {
			frm.set_query(fieldname, () => ({ filters: { status: "Active" } }));
		}
		frm.set_query("expiry_reason", ({ on_expiry }) => ({
			filters: {
				applies_to: "Disqualify",
				enabled: 1,
				...(on_expiry === "Nurture" && { proposes_nurture: 1 }),
			},
		}));
	},
	on_expiry: (frm) => frm.set_value("expiry_reason", null),
	refresh(frm) {
		lead_quality.offer_lead_fields(frm, "rules", "field");
		warn_of_broken_rules(frm);
		if (!frm.has_perm("write")) return;
		frm.add_custom_button(__("Try Out"), () => try_out(frm));
		if (frm.is_new()) return;
		if (frm.lq_saved?.name !== frm.doc.name) {
			frm.lq_saved = { name: frm.doc.name, rules: rules_of(frm) };
			frm.lq_offer = null;
		}
		offer_to_apply(frm);
		lead_quality.requalify.show_in(frm.layout.wrapper, frm.doc.name);
	},
	async after_save(frm) {
		const before = frm.lq_saved?.name === frm.doc.name ? frm.lq_saved.rules : null;
		frm.lq_saved = { name: frm.doc.name, rules: rules_of(frm) };
		if (before === frm.lq_saved.rules) return;
		const name = frm.doc.name;
		const { message: tried } = await frm.call("try_out");
		frm.lq_offer = tried.change ? tried : null;
		if (frm.doc.name === name) offer_to_apply(frm);
	},
});

// what decides which leads a segment takes
const rules_of = ({ doc }) =>
	JSON.stringify([
		doc.priority,
		doc.enabled,
		(doc.rules || []).map((rule) => [rule.field, rule.operator, rule.value]),
	]);

const in_figures = (count) => format_number(count, null, 0);

function warn_of_broken_rules(frm) {
	const broken = frm.is_new() ? [] : frm.doc.__onload?.broken_rules || [];
	if (!broken.length) return;
	const rules = broken.map(({ idx, field }) =>
		__("Rule {0} asks for a field that Lead no longer has: {1}.", [
			idx,
			`<b>${frappe.utils.escape_html(field)}</b>`,
		]),
	);
	rules.push(__("Until you choose another field, this segment takes no leads."));
	frm.set_intro(rules.join(" "), "red");
	frm.page.set_indicator(__("Takes no leads"), "red");
}

function offer_to_apply(frm) {
	frm.layout.wrapper.find(".lq-offer").remove();
	if (!frm.lq_offer) return;
	const { change, leads } = frm.lq_offer;
	const $offer = $(`<div class="lq-offer p-3 border-bottom">
		<span class="indicator orange">
			${__("By the segments as they are now, {0} of {1} leads belong in another segment.", [
				in_figures(change),
				in_figures(leads),
			])}
		</span>
		<button class="btn btn-default btn-xs ml-2">${__("Apply to Existing Leads")}</button>
	</div>`);
	$offer.find("button").on("click", () => apply(frm));
	frm.layout.wrapper.prepend($offer);
}

async function try_out(frm) {
	const { message: tried } = await frm.call("try_out");
	const may_apply = !frm.is_dirty() && !frm.is_new() && tried.change;
	const dialog = new frappe.ui.Dialog({
		title: __("Try Out: {0}", [frm.doc.title || __("New Segment")]),
		size: "large",
		fields: [{ fieldtype: "HTML", fieldname: "found", options: in_words(frm, tried) }],
		...(may_apply && {
			primary_action_label: __("Apply to Existing Leads"),
			primary_action() {
				dialog.hide();
				apply(frm);
			},
		}),
	});
	dialog.show();
}

function in_words(frm, { leads, match, take, change, moves, examples }) {
	const escape = frappe.utils.escape_html;
	const segment = (name) =>
		name
			? escape(name === frm.doc.name ? frm.doc.title || name : name)
			: `<span class="text-muted">${__("none")}</span>`;
	const sentences = [
		__("Would match {0} leads; {1} change segment.", [
			`<b>${in_figures(match)}</b>`,
			`<b>${in_figures(change)}</b>`,
		]),
		__("There are {0} leads in all.", [in_figures(leads)]),
	];
	if (!frm.doc.enabled) {
		sentences.push(__("The segment is not enabled: it takes none of them."));
	} else if (take < match) {
		sentences.push(
			__("{0} of those that match would be in this segment; the others are taken by segments before it.", [
				in_figures(take),
			]),
		);
	}
	if (change && (frm.is_dirty() || frm.is_new())) {
		sentences.push(__("Nothing has been changed yet. Save the segment, then apply it to existing leads."));
	} else if (change) {
		sentences.push(__("Nothing has been changed yet."));
	}
	const tables = [`<p>${sentences.join(" ")}</p>`];
	if (moves.length) {
		tables.push(
			table(
				[__("From Segment"), __("To Segment"), __("Leads")],
				moves.map((move) => [segment(move.from), segment(move.to), in_figures(move.leads)]),
			),
		);
	}
	if (examples.length) {
		tables.push(
			`<h6>${
				examples.length < change
					? __("{0} of the leads that change", [in_figures(examples.length)])
					: __("The leads that change")
			}</h6>`,
			table(
				[__("Lead"), __("From Segment"), __("To Segment")],
				examples.map((lead) => [
					`<a href="${frappe.utils.get_form_link("Lead", lead.name)}" target="_blank">${escape(
						lead.title || lead.name,
					)}</a>`,
					segment(lead.from),
					segment(lead.to),
				]),
			),
		);
	}
	return tables.join("");
}

const table = (titles, rows) => `
	<table class="table table-bordered table-sm">
		<thead><tr>${titles.map((title) => `<th>${title}</th>`).join("")}</tr></thead>
		<tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("")}</tbody>
	</table>`;

function apply(frm) {
	frappe.confirm(
		__(
			"Every lead is put into its segment again and judged again, in the background. Cadences and clocks that run already go on as they are. Go on?",
		),
		async () => {
			await lead_quality.requalify.start();
			frm.lq_offer = null;
			offer_to_apply(frm);
		},
	);
}
