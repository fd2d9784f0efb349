frappe.ui.form.on("Qualification Checklist", {
	refresh(frm) {
		// what is no field of the Lead, but is told from it: `FACTS` in qualification/facts.py
		const facts = [{ value: "reachable", label: __("Reachable: a valid phone number or e-mail") }];
		lead_quality.offer_lead_fields(frm, "criteria", "lead_field", undefined, facts);
		offer_criteria(frm);
		if (frm.is_new()) return;
		say_in_words(frm);
		lead_quality.requalify.show_in(frm.layout.wrapper, frm.doc.name, () => frm.reload_doc());
		if (!frm.has_perm("write")) return;
		if (frm.doc.__onload?.older?.length) {
			frm.add_custom_button(__("Move Leads Under Way Here"), () => move_leads(frm));
		}
		if (frm.doc.status === "Draft") {
			frm.add_custom_button(
				__("Fields for Web Form and Import"),
				() => saved(frm, make_fields),
				__("Web Form and Import"),
			);
		}
		frm.add_custom_button(__("Make a Web Form"), () => saved(frm, make_web_form), __("Web Form and Import"));
	},
	rules_on_form_rendered: (frm) => offer_criteria(frm),
});

frappe.ui.form.on("Qualification Criterion", {
	criterion: (frm) => offer_criteria(frm),
	label: (frm) => offer_criteria(frm),
	criteria_remove: (frm) => offer_criteria(frm),
});

function offer_criteria(frm) {
	const options = (frm.doc.criteria || [])
		.filter((row) => row.criterion)
		.map((row) => ({ value: row.criterion, label: row.label || row.criterion }));
	frm.fields_dict.rules.grid.update_docfield_property("criterion", "options", options);
}

// what has been set up, in words that need no knowledge of the table below
function say_in_words(frm) {
	const { definition, criteria = [], rules = [] } = frm.doc.__onload || {};
	if (!definition) return;
	const list = (lines) => lines.map((line) => `<li>${frappe.utils.escape_html(line)}</li>`).join("");
	frm.set_intro(
		`<div class="lq-in-words"><b>${frappe.utils.escape_html(definition)}</b>
			<ul class="mb-0 pl-4">${list(criteria)}${list(rules)}</ul></div>`,
		"blue",
	);
}

// The server works with what is stored, so that is brought up to date first.
async function saved(frm, action) {
	if (frm.is_dirty()) await frm.save();
	action(frm);
}

function move_leads(frm) {
	const older = frm.doc.__onload.older;
	const title = ({ name, leads }) => __("{0}, leads under way: {1}", [name, format_number(leads, null, 0)]);
	lead_quality.ask({
		title: __("Move Leads Under Way Here"),
		fields: [
			{
				fieldtype: "Select",
				fieldname: "move_from",
				label: __("From"),
				options: older.map((version) => ({ value: version.name, label: title(version) })),
				default: older[0].name,
				reqd: 1,
			},
			{
				fieldtype: "HTML",
				options: `<p>${__(
					"Their leads are held against {0} from now on. Answers to criteria of the same key go along; the others are dropped. All leads are judged again in the background.",
					[`<b>${frappe.utils.escape_html(frm.doc.name)}</b>`],
				)}</p>`,
			},
		],
		label: __("Move"),
		submit: ({ move_from }) => lead_quality.requalify.start({ move_from, move_to: frm.doc.name }),
	});
}

function make_fields(frm) {
	const open = frm.doc.criteria.filter((row) => !row.lead_field);
	if (!open.length) {
		frappe.msgprint(
			__(
				"Every criterion has a Lead field already. Make a web form now, or import leads with these columns.",
			),
		);
		return;
	}
	lead_quality.ask({
		title: __("Fields for Web Form and Import"),
		fields: [
			{
				fieldtype: "HTML",
				options: `<p>${__(
					"Each of these becomes a field of the Lead. What a web form or an import writes there answers the criterion, and the lead is judged at once.",
				)}</p>`,
			},
			{
				fieldtype: "MultiCheck",
				fieldname: "criteria",
				sort_options: false,
				options: open.map((row) => ({
					label: question_of(row),
					value: row.criterion,
					checked: !row.confidential && !row.per_contact,
				})),
			},
			{
				fieldtype: "HTML",
				options: `<p class="text-muted small">${__(
					"Who sees a lead sees these fields, also those of confidential criteria. What is asked of each contact, visitors answer for themselves.",
				)}</p>`,
			},
		],
		label: __("Make Fields"),
		async submit({ criteria = [] }) {
			if (!criteria.length) {
				frappe.show_alert(__("Tick at least one criterion."));
				return Promise.reject();
			}
			const { message } = await frm.call({
				doc: frm.doc,
				method: "make_fields",
				args: { criteria },
				freeze: true,
				freeze_message: __("Making the fields …"),
			});
			return message;
		},
		async done(fields) {
			await frm.reload_doc();
			// so that a lead that is opened next has them
			frappe.model.clear_doc?.("DocType", "Lead");
			frappe.msgprint({
				title: __("Fields Made"),
				indicator: "green",
				message: __(
					"{0} fields of the Lead answer criteria now. Activate the checklist and choose it on a Lead Segment; then make a web form, or import leads with the questions as column titles.",
					[fields.length],
				),
			});
		},
	});
}

// what the field is going to be called, with a hint why it is not ticked
function question_of(row) {
	const hints = [row.confidential && __("confidential"), row.per_contact && __("asked of each contact")];
	const hint = hints.filter(Boolean).join(", ");
	const question = row.guidance_web_form || row.label;
	return frappe.utils.escape_html(hint ? `${question} (${hint})` : question);
}

function make_web_form(frm) {
	lead_quality.ask({
		title: __("Make a Web Form"),
		fields: [
			{
				fieldtype: "Data",
				fieldname: "title",
				label: __("Title"),
				description: __("Visitors read it above the form."),
				default: frm.doc.title,
				reqd: 1,
			},
			{
				fieldtype: "Link",
				fieldname: "source",
				label: __("Source of These Leads"),
				options: frm.doc.__onload.source_doctype,
				description: __("A Lead Segment whose rules ask for this source takes them."),
			},
		],
		label: __("Make"),
		async submit({ title, source }) {
			const { message } = await frm.call({
				doc: frm.doc,
				method: "make_web_form",
				args: { title, source },
				freeze: true,
			});
			return message;
		},
		async done(form) {
			const may_publish = frappe.model.can_write("Web Form");
			if (may_publish) await frappe.set_route("Form", "Web Form", form.name);
			frappe.msgprint({
				title: __("Web Form Made"),
				indicator: "green",
				message: web_form_in_words(form, may_publish),
			});
		},
	});
}

function web_form_in_words({ name, left_out }, may_publish) {
	const escape = frappe.utils.escape_html;
	const sentences = [
		may_publish
			? __("Nobody sees it yet: read it through, then publish it.")
			: __("Nobody sees {0} yet: ask a Website Manager to publish it.", [`<b>${escape(name)}</b>`]),
		__("Each lead that comes in by it is judged at once."),
	];
	let words = `<p>${sentences.join(" ")}</p>`;
	if (left_out.length) {
		words += `<p>${__("Not asked, since these have no Lead field that a visitor could fill in:")}</p>
			<ul>${left_out.map((label) => `<li>${escape(label)}</li>`).join("")}</ul>`;
	}
	return words;
}
