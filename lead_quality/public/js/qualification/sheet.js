// The sheet of a Lead Qualification: one card a criterion, to type along with during a call.
//
// The sheet does not write the rows of the form. It collects what was changed and sends only that through
// lead_quality.api.qualify, which merges by criterion: two people may answer the same lead at once.

import { element, plain, refused } from "../desk/dialogs.js";
import {
	arguments_of,
	changed_fields,
	choices_of,
	contacts_of,
	goes_through_api,
	is_yes,
	key_of,
	refusals,
	value_of,
	with_values,
} from "../engine/answers.js";
import { last_question } from "../engine/latest.js";
import { decimals_of, is_number, read_number } from "../engine/numbers.js";
import {
	card_html,
	CHANNELS,
	confidential_html,
	line_html,
	sheet_html,
	source_html,
	source_title,
	sources_html,
	stamp_html,
	state_html,
	unsaved_html,
} from "./sheet_html.js";

const CHANNEL_KEY = "lead_quality_channel";

const show_number = (value) =>
	value && is_number(value) ? format_number(Number(value), null, decimals_of(value)) : value || "";
const number_format = () => get_number_format_info(get_number_format());

export class QualificationSheet {
	constructor(frm) {
		this.frm = frm;
		// what was typed and not saved yet, by document: it outlives a reload of the form
		this.edits_of = {};
		this.loaded_of = {};
		this.errors = {};
		this.latest = last_question();
	}

	get edits() {
		return (this.edits_of[this.frm.doc.name] = this.edits_of[this.frm.doc.name] || {});
	}

	get may_write() {
		return this.frm.perm[0].write && (!this.data || this.frm.doc.docstatus === 0);
	}

	async refresh() {
		const { frm } = this;
		const name = frm.doc.name;
		if (!frm.is_dirty()) this.loaded_of[name] = { ...frm.doc };
		if (Object.keys(this.edits).length && !frm.is_dirty()) frm.dirty();
		if (this.shown !== name) frm.fields_dict.sheet.$wrapper.empty();
		if (!frm.doc.lead) return;
		const answer = await this.latest(
			frappe.call({
				method: "lead_quality.api.get_checklist",
				args: { lead: frm.doc.lead },
				type: "GET",
			}),
		);
		// the user may have moved on to another sheet while this one was loading
		if (!answer || frm.doc.name !== name) return;
		if (this.shown !== name) this.errors = {};
		this.shown = name;
		this.data = answer.message;
		this.channel = this.pick_channel();
		this.render();
	}

	pick_channel() {
		this.channels = CHANNELS.filter((key) =>
			this.data.criteria.some((criterion) => criterion.guidance[key]),
		);
		const wanted = [localStorage.getItem(CHANNEL_KEY), "guidance_phone"];
		return wanted.find((key) => this.channels.includes(key)) || this.channels[0];
	}

	// drawing

	render() {
		const focused = this.$sheet?.find(":focus").data("focus");
		this.$sheet = element(sheet_html(this.data, this.frm.doc.lead, this.channels));
		this.frm.fields_dict.sheet.$wrapper.empty().append(this.$sheet);
		for (const criterion of this.data.criteria) this.render_card(criterion);
		this.bind();
		if (focused) this.$sheet.find(`[data-focus="${CSS.escape(focused)}"]`).trigger("focus");
	}

	render_card(criterion) {
		const $card = element(card_html(criterion)).appendTo(this.$sheet.find(".lq-cards"));
		this.show_guidance($card, criterion);
		if (criterion.hidden) {
			$card.find("[data-lines]").html(String(confidential_html()));
		} else {
			for (const contact of contacts_of(criterion, this.data.contacts)) {
				this.render_line($card, criterion, contact);
			}
		}
		this.show_state($card, criterion);
	}

	render_line($card, criterion, contact) {
		const saved = criterion.answers.find((answer) => (answer.contact || "") === contact.name) || {};
		const line = {
			criterion,
			contact: contact.name,
			key: key_of(criterion.criterion, contact.name),
			saved,
			choices: choices_of(criterion, saved.value),
			currencies: this.currencies(criterion, saved),
		};
		const is_alone = !criterion.per_contact || !this.data.contacts.length;
		line.$line = element(line_html(line, contact, is_alone)).appendTo($card.find("[data-lines]"));
		line.$line.data("line", line);
		line.$line.find("textarea.note").val(this.value(line, "note") || "");
		this.fill_answer(line);
		this.show_line(line);
	}

	currencies(criterion, saved) {
		const enabled = Object.keys(locals[":Currency"] || {}).sort();
		return [...new Set([criterion.currency, saved.currency, ...enabled].filter(Boolean))];
	}

	fill_answer(line) {
		const { $line, criterion } = line;
		const value = this.value(line, "value") || "";
		if (criterion.answer_type === "Date") {
			line.date = frappe.ui.form.make_control({
				parent: $line.find(".answer"),
				df: {
					fieldtype: "Date",
					fieldname: "date",
					placeholder: __("Choose a day"),
					change: () => this.set_value(line, line.date.get_value() || ""),
				},
				only_input: true,
				render_input: true,
			});
			line.date.set_value(value);
			line.date.$input.attr({ "data-focus": line.key, "aria-label": __(criterion.label) });
		} else {
			const shown = criterion.answer_type === "Number" ? show_number(value) : value;
			$line.find(".answer [data-focus]").val(shown);
		}
		$line.find("[data-currency]").val(this.value(line, "currency") || criterion.currency);
		if (!this.may_write) $line.find("button, input, textarea, select").prop("disabled", true);
	}

	// everything of a line but what is being typed, so that the cursor stays where it is
	show_line(line) {
		const { $line, criterion, saved, key } = line;
		const value = this.value(line, "value") || "";
		const is_known = (choice) =>
			criterion.answer_type === "Check" && value ? is_yes(choice) === is_yes(value) : choice === value;
		this.press($line.find("[data-set=value]"), is_known);
		const from_lead = this.is_from_lead(line);
		const grade = this.value(line, "evidence_grade") || "Stated";
		this.press($line.find("[data-set=evidence]"), (choice) => choice === grade);
		$line.find("[data-set=evidence], [data-source]").toggleClass("d-none", !value || from_lead);
		$line.find("[data-source]").html(String(this.source_html(line)));
		const has_note = Boolean(this.value(line, "note")) || line.wants_note;
		// the server keeps nothing for a contact who has not answered
		const may_note = this.may_write && (value || !criterion.per_contact);
		$line.find("[data-do=note]").toggleClass("d-none", has_note || !may_note);
		$line.find("textarea.note").toggleClass("d-none", !has_note);
		$line.find(".lq-more").toggleClass("d-none", !value && (has_note || !may_note));
		$line.find("[data-error]").text(this.errors[key] || "");
		const stamp = this.edits[key] ? unsaved_html() : stamp_html(saved, from_lead, this.may_write);
		$line.find("[data-stamp]").html(String(stamp));
		if (saved.state === "Stale" && !this.edits[key]) $line.find("[data-stamp]").addClass("text-warning");
	}

	press($group, is_pressed) {
		const $pills = $group.children("[role=radio]");
		const any = $pills.get().some((pill) => is_pressed(pill.dataset.value));
		const is_detail = $group.is(".lq-more *");
		$pills.each((index, pill) => {
			const pressed = is_pressed(pill.dataset.value);
			$(pill).attr("aria-checked", pressed);
			// a group of buttons is one stop of the Tab key
			if (!is_detail) $(pill).attr("tabindex", pressed || (index === 0 && !any) ? 0 : -1);
			$(pill).toggleClass(is_detail ? "btn-primary-light" : "btn-primary", pressed);
			$(pill).toggleClass("btn-default", !pressed);
		});
	}

	is_from_lead(line) {
		return line.saved.reference_doctype === "Lead" && !("value" in (this.edits[line.key] || {}));
	}

	source_html(line) {
		const type = this.value(line, "reference_doctype");
		const name = this.value(line, "reference_name");
		if (!name || (type === "Lead" && !this.is_from_lead(line))) {
			return (this.may_write && sources_html(this.data.sources)) || "";
		}
		const source = this.data.sources.find((each) => each.doctype === type && each.name === name);
		return source_html(type, name, source ? source_title(source) : `${__(type)} ${name}`, this.may_write);
	}

	show_state($card, criterion) {
		const keys = Object.keys(this.edits).filter(
			(key) => this.edits[key].criterion === criterion.criterion,
		);
		const refused = keys.some((key) => this.errors[key]);
		$card.toggleClass("lq-edited", keys.length > 0).toggleClass("lq-refused", refused);
		$card.find("[data-state]").html(String(state_html(criterion, keys.length > 0)));
	}

	show_guidance($card, criterion) {
		const words = criterion.guidance[this.channel] || criterion.guidance.guidance || "";
		$card.find("[data-guidance]").text(__(words));
	}

	// answering

	value(line, fieldname) {
		return value_of(this.edits[line.key], line.saved, fieldname);
	}

	edit(line, values) {
		this.edits[line.key] = with_values(this.edits[line.key], line, values);
		delete this.errors[line.key];
		this.show_line(line);
		this.show_state(line.$line.closest(".lq-card"), line.criterion);
		if (!this.frm.is_dirty()) this.frm.dirty();
	}

	set_value(line, value) {
		if (value === (this.value(line, "value") || "")) return;
		const values = { value };
		const graded = line.saved.evidence_grade && line.saved.reference_doctype !== "Lead";
		if (value && !graded && !this.edits[line.key]?.evidence_grade) values.evidence_grade = "Stated";
		if (value && line.criterion.currency) values.currency = line.$line.find("[data-currency]").val();
		this.edit(line, values);
	}

	bind() {
		const line_of = (element) => $(element).closest(".lq-line").data("line");
		const actions = {
			note: (line) => {
				line.wants_note = true;
				this.show_line(line);
				line.$line.find("textarea.note").trigger("focus");
			},
			undo: (line) => this.undo(line),
			still: (line) => this.edit(line, { value: line.saved.value }),
			"no-source": (line) => this.edit(line, { reference_doctype: null, reference_name: null }),
		};
		this.$sheet
			.on("click", "[data-set] > [role=radio]", ({ currentTarget: pill }) =>
				this.choose(pill, line_of(pill)),
			)
			.on("click", "[data-do]", (event) => {
				event.preventDefault();
				actions[event.currentTarget.dataset.do](line_of(event.currentTarget));
			})
			.on("input", ".answer [data-focus]", ({ currentTarget: box }) => {
				const line = line_of(box);
				if (line.criterion.answer_type === "Date") return;
				const reads_number = line.criterion.answer_type === "Number";
				this.set_value(line, reads_number ? read_number(box.value, number_format()) : box.value);
			})
			.on("change", ".answer input[inputmode=decimal]", ({ currentTarget: box }) => {
				// the user shall see how it was read
				box.value = show_number(this.value(line_of(box), "value"));
			})
			.on("change", "[data-currency]", ({ currentTarget: box }) => {
				const line = line_of(box);
				const value = this.value(line, "value");
				if (value) this.edit(line, { value, currency: box.value });
			})
			.on("input", "textarea.note", ({ currentTarget: box }) => {
				this.edit(line_of(box), { note: box.value });
			})
			.on("change", "[data-sources]", ({ currentTarget: box }) => {
				const source = this.data.sources[box.value];
				if (!source) return;
				this.edit(line_of(box), { reference_doctype: source.doctype, reference_name: source.name });
			})
			.on("keydown", (event) => this.on_key(event));
		this.press(this.$sheet.find("[data-set=channel]"), (each) => each === this.channel);
		this.press(this.$sheet.find("[data-set=horizon]"), (each) => each === this.frm.doc.horizon);
	}

	choose(pill, line) {
		const { value } = pill.dataset;
		const { set } = pill.parentNode.dataset;
		const pressed = pill.getAttribute("aria-checked") === "true";
		if (set === "value") this.set_value(line, pressed ? "" : value);
		else if (set === "evidence") this.edit(line, { evidence_grade: value });
		else if (set === "channel") this.choose_channel(value);
		else if (this.may_write) this.choose_horizon(pressed ? "Unknown" : value);
	}

	// Tab goes from answer to answer, the arrows from button to button, Alt and the down arrow to the evidence
	on_key(event) {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
		const $target = $(event.target);
		if (event.key === "ArrowDown" && event.altKey) {
			event.preventDefault();
			$target
				.closest(".lq-line")
				.find(".lq-more")
				.find("button, select, a")
				.filter(":visible")
				.first()
				.trigger("focus");
		} else if (step && $target.is("[role=radio], .lq-more *")) {
			event.preventDefault();
			const $all = $target.closest(".lq-more, .lq-group").find("button, select, a").filter(":visible");
			$all.eq(($all.index(event.target) + step) % $all.length).trigger("focus");
		}
	}

	undo(line) {
		delete this.edits[line.key];
		delete this.errors[line.key];
		if (!Object.keys(this.edits).length && !this.changed_fields().length) {
			this.frm.doc.__unsaved = 0;
			this.frm.refresh();
		} else {
			this.render();
		}
	}

	choose_channel(channel) {
		this.channel = channel;
		localStorage.setItem(CHANNEL_KEY, channel);
		this.press(this.$sheet.find("[data-set=channel]"), (key) => key === channel);
		this.$sheet.find(".lq-card").each((_, card) => {
			const criterion = this.data.criteria.find((each) => each.criterion === card.dataset.criterion);
			this.show_guidance($(card), criterion);
		});
	}

	choose_horizon(horizon) {
		this.frm.set_value("horizon", horizon);
		this.press(this.$sheet.find("[data-set=horizon]"), (each) => each === horizon);
	}

	// saving

	changed_fields() {
		const { doc, meta } = this.frm;
		const fieldnames = meta.fields
			.filter((df) => frappe.model.is_value_type(df))
			.map((df) => df.fieldname);
		return changed_fields(doc, this.loaded_of[doc.name] || {}, fieldnames);
	}

	// Before Frappe saves the form: the answers and the decision go through the API. What is left then, such as a field
	// that the site has added, Frappe saves as ever; if nothing is left, its save is not needed.
	async send_answers() {
		const { frm } = this;
		const { name } = frm.doc;
		const changed = this.changed_fields();
		if (!frm.is_new() && !Object.keys(this.edits).length && !changed.some(goes_through_api)) return;
		frappe.validated = false;
		if (this.is_sending) return;
		if (!frm.doc.lead) {
			frappe.msgprint(__("Choose the lead that is judged."));
			return;
		}
		this.is_sending = true;
		try {
			const doc = await this.post(arguments_of(frm.doc, this.edits, changed));
			if (doc) await this.after_sending(name, doc, changed);
		} finally {
			this.is_sending = false;
		}
	}

	// the Lead Qualification that came of it, or nothing if the server has refused: then all that was typed stays
	async post(args) {
		this.errors = {};
		let refusal = null;
		try {
			const { message } = await frappe.call({
				method: "lead_quality.api.qualify",
				args,
				freeze: true,
				error: (response) => (refusal = response),
			});
			return message;
		} catch (failure) {
			refused(failure);
			this.mark(refusal?._server_messages || failure?.responseJSON?._server_messages);
			return null;
		}
	}

	async after_sending(name, doc, changed) {
		const { frm } = this;
		delete this.edits_of[name];
		if (frm.is_new()) {
			frappe.model.clear_doc(frm.doctype, name);
			await frappe.set_route("Form", frm.doctype, doc.name);
		} else {
			const left = changed.filter((fieldname) => !goes_through_api(fieldname));
			const values = Object.fromEntries(left.map((fieldname) => [fieldname, frm.doc[fieldname]]));
			frm.doc.__unsaved = 0;
			await frm.reload_doc();
			if (left.length) {
				await frm.set_value(values);
				frappe.validated = true;
				return;
			}
			await frm.script_manager.trigger("after_save");
		}
		frappe.show_alert({ message: __("Saved"), indicator: "green" }, 3);
	}

	mark(messages) {
		const texts = JSON.parse(messages || "[]").map((message) => plain(JSON.parse(message).message));
		const lines = this.$sheet
			.find(".lq-line")
			.get()
			.map((element) => $(element).data("line"));
		this.errors = refusals(
			texts,
			lines.map(({ key, criterion }) => ({
				key,
				question: __(criterion.label),
				edit: this.edits[key],
			})),
		);
		for (const line of lines.filter(({ key }) => this.errors[key])) {
			this.show_line(line);
			this.show_state(line.$line.closest(".lq-card"), line.criterion);
			line.$line[0].scrollIntoView({ block: "center" });
		}
	}
}
