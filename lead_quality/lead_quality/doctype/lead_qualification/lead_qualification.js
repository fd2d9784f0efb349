// The form of a Lead Qualification is a sheet to type along with during a call: one card a criterion.
//
// The sheet does not write the rows of the form. It collects what was changed and sends only that through
// lead_quality.api.qualify, which merges by criterion: two people may answer the same lead at once.
{
	const CHANNELS = {
		guidance: __("General"),
		guidance_phone: __("Phone"),
		guidance_chat: __("Chat"),
		guidance_web_form: __("Web form"),
		guidance_trade_show: __("Trade show"),
	};
	const CHANNEL_KEY = "lead_quality_channel";
	const GRADES = ["Observed", "Stated", "Inferred", "Assumed"];
	const HORIZONS = ["Near Term", "Long Term"];
	// more choices than this are a list to choose from, not buttons
	const MOST_BUTTONS = 6;
	const VERDICT_COLOURS = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };
	const STATES = {
		Met: ["green", __("Met")],
		"Not Met": ["red", __("Not met")],
		Open: ["gray", __("Open")],
		Stale: ["orange", __("Stale")],
		Unvalued: ["orange", __("No exchange rate")],
	};
	const TRUE_WORDS = ["1", "true", "yes", "on"];
	// what the sheet and the panel of the lead show already; `lead` is needed to begin with
	const SHOWN_ELSEWHERE = [
		"lead",
		"lead_name",
		"checklist",
		"verdict",
		"horizon",
		"reason",
		"agreement",
		"counts_section",
	];
	const DECISION = ["decision", "outcome_reason", "nurture_until"];
	const STYLE = `<style>
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

	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	// the program's number ("50000.5") for what was typed in the user's format ("50.000,50"), else what was typed
	const read_number = (typed) => {
		const { decimal_str: point, group_sep: group } = get_number_format_info(get_number_format());
		const literal = (sign) => (sign ? sign.replace(/[.*+?^${}()|[\]\\\s]/g, "\\$&") : "(?!)");
		let text = typed.trim();
		const grouped = new RegExp(
			`^-?\\d{1,3}(${literal(group)}\\d{2,3})*${literal(group)}\\d{3}(${literal(point)}\\d*)?$`,
		);
		if (grouped.test(text)) text = text.split(group).join("");
		if (point) text = text.replace(point, ".");
		return /^-?\d+(\.\d*)?$/.test(text) ? text : typed.trim();
	};

	const show_number = (value) => {
		if (!value || !/^-?\d+(\.\d*)?$/.test(value)) return value || "";
		const decimals = (value.split(".")[1] || "").replace(/0+$/, "").length;
		return format_number(Number(value), null, decimals);
	};

	const is_yes = (value) => TRUE_WORDS.includes(String(value).toLowerCase());

	class QualificationSheet {
		constructor(frm) {
			this.frm = frm;
			// what was typed and not saved yet, by document: it outlives a reload of the form
			this.edits_of = {};
			this.loaded_of = {};
			this.errors = {};
			const save = frm.save.bind(frm);
			this.save_form = () => save("Save");
			frm.save = (action = "Save", callback, btn) =>
				action === "Save"
					? this.save(btn).then((saved) => saved && callback?.({}))
					: save(action, callback, btn);
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
			const { message } = await frappe.call({
				method: "lead_quality.api.get_checklist",
				args: { lead: frm.doc.lead },
				type: "GET",
			});
			// the user may have moved on to another sheet while this one was loading
			if (frm.doc.name !== name) return;
			if (this.shown !== name) this.errors = {};
			this.shown = name;
			this.data = message;
			this.channel = this.pick_channel();
			this.render();
		}

		pick_channel() {
			this.channels = Object.keys(CHANNELS).filter((key) =>
				this.data.criteria.some((criterion) => criterion.guidance[key]),
			);
			const wanted = [localStorage.getItem(CHANNEL_KEY), "guidance_phone"];
			return wanted.find((key) => this.channels.includes(key)) || this.channels[0];
		}

		// drawing

		render() {
			const focused = this.$sheet?.find(":focus").data("focus");
			this.$sheet = $(`<div class="lq-sheet">${STYLE}${this.head_html()}
				<div class="lq-cards"></div></div>`);
			this.frm.fields_dict.sheet.$wrapper.empty().append(this.$sheet);
			for (const criterion of this.data.criteria) this.render_card(criterion);
			this.bind();
			if (focused) this.$sheet.find(`[data-focus="${focused}"]`).trigger("focus");
		}

		head_html() {
			const { verdict, met_count, criteria_count } = this.data;
			const share = criteria_count ? (100 * met_count) / criteria_count : 0;
			const count = __("{0} of {1} met", [met_count, criteria_count]);
			const channels = this.channels.length > 1 ? this.channels : [];
			const asked = channels.map((key) => this.pill_html(CHANNELS[key], key)).join("");
			const horizons = HORIZONS.map((horizon) => this.pill_html(__(horizon), horizon)).join("");
			const row = (title, what, pills) =>
				pills &&
				`<div class="d-flex align-items-center flex-wrap" style="gap: 6px">
					<span class="small text-muted">${title}</span>
					<div class="lq-group" role="radiogroup" aria-label="${title}" data-set="${what}">${pills}</div>
				</div>`;
			return `<div class="mb-3" data-head>
				<div class="d-flex align-items-center flex-wrap" style="gap: 8px">
					<b>${count}</b>
					<span class="indicator-pill ${VERDICT_COLOURS[verdict]}">${__(verdict)}</span>
					<a class="small ml-auto d-md-none" href="${frappe.utils.get_form_link("Lead", this.frm.doc.lead)}">
						${__("Back to the lead")}</a>
				</div>
				<div class="progress mt-2" style="height: 6px">
					<div class="progress-bar ${share === 100 ? "bg-success" : ""}" style="width: ${share}%"></div>
				</div>
				<div class="small mt-2" data-reason>${escape(this.reason())}</div>
				<div class="small text-muted">${escape(this.data.definition)}</div>
				<div class="d-flex flex-wrap mt-2" style="gap: 8px 24px">
					${row(__("How to ask"), "channel", asked)}${row(__("Horizon"), "horizon", horizons)}
				</div>
			</div>`;
		}

		// that nobody was asked anything yet is in sight on every card
		reason() {
			const { reason, verdict, criteria, met_count, criteria_count } = this.data;
			const untouched = criteria.every((criterion) => criterion.state === "Open");
			if (verdict === "Open" && untouched) return "";
			return (reason || "").replace(__("{0} of {1} met.", [met_count, criteria_count]), "").trim();
		}

		render_card(criterion) {
			const badge = (text, title) =>
				`<span class="indicator-pill no-indicator-dot gray" title="${title}">${text}</span>`;
			const $card = $(`
				<div class="lq-card" data-criterion="${escape(criterion.criterion)}">
					<div class="d-flex align-items-start" style="gap: 8px">
						<div class="mr-auto">
							<div class="small text-muted d-flex align-items-center flex-wrap" style="gap: 6px">
								${escape(__(criterion.topic || ""))}
								${criterion.mandatory ? badge(__("Mandatory"), __("Without it the lead is not sales ready.")) : ""}
								${criterion.knock_out ? badge(__("Knock-out"), __("If it is not met, the lead is disqualified.")) : ""}
							</div>
							<b>${escape(__(criterion.label))}</b>
						</div>
						<span class="text-right" data-state></span>
					</div>
					<div class="small text-muted font-italic mb-2" data-guidance></div>
					<div data-lines></div>
				</div>`).appendTo(this.$sheet.find(".lq-cards"));
			this.show_guidance($card, criterion);
			if (criterion.hidden) {
				$card.find("[data-lines]").html(`<span class="text-muted">${__("Confidential")}</span>`);
			} else {
				for (const contact of this.contacts_of(criterion)) this.render_line($card, criterion, contact);
			}
			this.show_state($card, criterion);
		}

		// whom a criterion is asked about: nobody in particular, or each contact and nobody in particular
		contacts_of(criterion) {
			const general = { name: "" };
			if (!criterion.per_contact) return [general];
			const known = this.data.contacts.map(({ name }) => name);
			const gone = criterion.answers
				.filter(({ contact }) => contact && !known.includes(contact))
				.map(({ contact, contact_name }) => ({ name: contact, full_name: contact_name }));
			return [...this.data.contacts, ...gone, general];
		}

		render_line($card, criterion, contact) {
			const line = { criterion, contact: contact.name, key: `${criterion.criterion}|${contact.name}` };
			line.saved = criterion.answers.find((answer) => (answer.contact || "") === contact.name) || {};
			const who = contact.name
				? `<b>${escape(contact.full_name || contact.name)}</b>
					<span class="text-muted">${escape(contact.designation)}</span>`
				: `<span class="text-muted">${__("Not about one contact")}</span>`;
			const is_alone = !criterion.per_contact || !this.data.contacts.length;
			line.$line = $(`
				<div class="lq-line" data-contact="${escape(contact.name)}">
					${is_alone && !contact.name ? "" : `<div class="small mb-1">${who}</div>`}
					<div class="answer">${this.answer_html(line)}</div>
					<div class="lq-more mt-2">
						<div class="lq-group" role="radiogroup" aria-label="${__("Evidence")}" data-set="evidence">
							${GRADES.map((grade) => this.pill_html(__(grade), grade, -1)).join("")}
						</div>
						<span data-source></span>
						<a href="#" class="small" tabindex="-1" data-do="note">${__("Add a note")}</a>
					</div>
					<textarea class="form-control mt-2 note" rows="2" style="height: auto" tabindex="-1"
						aria-label="${__("Note")}" placeholder="${__("Note")}"></textarea>
					<div class="small text-danger" data-error></div>
					<div class="small text-muted mt-1" data-stamp></div>
				</div>`).appendTo($card.find("[data-lines]"));
			line.$line.data("line", line);
			line.$line.find("textarea.note").val(this.value(line, "note") || "");
			this.fill_answer(line);
			this.show_line(line);
		}

		pill_html(label, value, tabindex = 0) {
			return `<button type="button" role="radio" aria-checked="false" class="btn btn-sm btn-default"
				data-value="${escape(value)}" tabindex="${tabindex}">${escape(label)}</button>`;
		}

		answer_html(line) {
			const { criterion } = line;
			const label = escape(__(criterion.label));
			const focus = `data-focus="${escape(line.key)}" aria-label="${label}"`;
			if (criterion.answer_type === "Number") {
				const currency = criterion.currency
					? `<select class="form-control" data-currency style="width: 90px" aria-label="${__("Currency")}">
						${this.currencies(line).map((name) => `<option>${escape(name)}</option>`)}</select>`
					: "";
				return `<div class="d-flex" style="gap: 6px"><input class="form-control" style="max-width: 220px"
					inputmode="decimal" autocomplete="off" ${focus}>${currency}</div>`;
			}
			if (criterion.answer_type === "Text")
				return `<textarea class="form-control" rows="2" style="height: auto" ${focus}></textarea>`;
			if (criterion.answer_type === "Date") return "";
			const choices = this.choices(line);
			if (choices.length > MOST_BUTTONS) {
				const options = ["", ...choices].map(
					(choice) => `<option value="${escape(choice)}">${escape(__(choice))}</option>`,
				);
				return `<select class="form-control" ${focus}>${options.join("")}</select>`;
			}
			return `<div class="lq-group" role="radiogroup" aria-label="${label}" data-set="value">
				${choices.map((choice) => this.pill_html(__(choice), choice)).join("")}</div>`;
		}

		choices({ criterion, saved }) {
			if (criterion.answer_type === "Check") return ["Yes", "No"];
			const choices = (criterion.options || "")
				.split("\n")
				.map((choice) => choice.trim())
				.filter(Boolean);
			// the lead may say something that the checklist does not offer
			return !saved.value || choices.includes(saved.value) ? choices : [...choices, saved.value];
		}

		currencies({ criterion, saved }) {
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
			$line.find("[data-source]").html(this.source_html(line));
			const has_note = Boolean(this.value(line, "note")) || line.wants_note;
			// the server keeps nothing for a contact who has not answered
			const may_note = this.may_write && (value || !criterion.per_contact);
			$line.find("[data-do=note]").toggleClass("d-none", has_note || !may_note);
			$line.find("textarea.note").toggleClass("d-none", !has_note);
			$line.find(".lq-more").toggleClass("d-none", !value && (has_note || !may_note));
			$line.find("[data-error]").text(this.errors[key] || "");
			$line.find("[data-stamp]").html(this.stamp_html(line, from_lead));
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
			if (type === "Lead" && !this.is_from_lead(line)) return this.sources_html();
			if (!name) return this.sources_html();
			const source = this.data.sources.find((each) => each.doctype === type && each.name === name);
			const title = source ? this.source_title(source) : `${__(type)} ${name}`;
			const away = this.may_write
				? `<a href="#" data-do="no-source" tabindex="-1" title="${__("It came from elsewhere")}">✕</a>`
				: "";
			return `<span class="small">${__("Came from")}
				<a href="${frappe.utils.get_form_link(type, name)}">${escape(title)}</a> ${away}</span>`;
		}

		sources_html() {
			if (!this.data.sources.length || !this.may_write) return "";
			const options = this.data.sources.map(
				(source, index) => `<option value="${index}">${escape(this.source_title(source))}</option>`,
			);
			return `<select class="form-control input-xs" data-sources tabindex="-1" aria-label="${__("Came from")}"
				style="width: 150px"><option value="">${__("Came from…")}</option>${options.join("")}</select>`;
		}

		source_title(source) {
			return `${source.title} · ${frappe.datetime.str_to_user(source.at?.slice(0, 10))}`;
		}

		stamp_html(line, from_lead) {
			const { saved, key } = line;
			if (this.edits[key]) {
				return `${__("Not saved yet")} · <a href="#" data-do="undo" tabindex="-1">${__("Undo")}</a>`;
			}
			if (!saved.answered_on) return "";
			const when = frappe.datetime.comment_when(saved.answered_on);
			const words = from_lead
				? __("Taken from the lead {0}", [when])
				: `${escape(saved.answered_name)} · ${when}`;
			if (saved.state !== "Stale" || !this.may_write) return words;
			return `${words} · ${__("out of date, ask again")}
				<button type="button" class="btn btn-xs btn-default ml-1" data-do="still">${__("Still right")}</button>`;
		}

		show_state($card, criterion) {
			const keys = Object.keys(this.edits).filter((key) => this.edits[key].criterion === criterion.criterion);
			const refused = keys.some((key) => this.errors[key]);
			$card.toggleClass("lq-edited", keys.length > 0).toggleClass("lq-refused", refused);
			let [colour, words] = STATES[criterion.state];
			let why = criterion.state === "Not Met" ? __("needs {0}", [criterion.needs]) : "";
			if (criterion.state === "Unvalued") why = criterion.state_in_words;
			if (keys.length) [colour, words, why] = ["blue", __("Not saved"), ""];
			$card.find("[data-state]").html(`
				<span class="indicator-pill ${colour} whitespace-nowrap">${words}</span>
				${why ? `<div class="small text-muted mt-1">${escape(why)}</div>` : ""}`);
		}

		show_guidance($card, criterion) {
			const words = criterion.guidance[this.channel] || criterion.guidance.guidance || "";
			$card.find("[data-guidance]").text(__(words));
		}

		// answering

		value(line, fieldname) {
			const edit = this.edits[line.key];
			return edit && fieldname in edit ? edit[fieldname] : line.saved[fieldname];
		}

		edit(line, values) {
			const { criterion, contact, saved, key } = line;
			const edit = this.edits[key] || {
				criterion: criterion.criterion,
				contact: contact || null,
				seen: saved.answered_on || "",
			};
			this.edits[key] = { ...edit, ...values };
			this.after_edit(line);
		}

		after_edit(line) {
			delete this.errors[line.key];
			this.show_line(line);
			this.show_state(line.$line.closest(".lq-card"), line.criterion);
			if (Object.keys(this.edits).length && !this.frm.is_dirty()) this.frm.dirty();
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
				.on("click", "[data-set] > [role=radio]", ({ currentTarget: pill }) => {
					const value = pill.dataset.value;
					const set = pill.parentNode.dataset.set;
					const line = line_of(pill);
					const pressed = pill.getAttribute("aria-checked") === "true";
					if (set === "value") this.set_value(line, pressed ? "" : value);
					else if (set === "evidence") this.edit(line, { evidence_grade: value });
					else if (set === "channel") this.choose_channel(value);
					else if (this.may_write) this.choose_horizon(pressed ? "Unknown" : value);
				})
				.on("click", "[data-do]", (event) => {
					event.preventDefault();
					actions[event.currentTarget.dataset.do](line_of(event.currentTarget));
				})
				.on("input", ".answer [data-focus]", ({ currentTarget: box }) => {
					const line = line_of(box);
					if (line.criterion.answer_type === "Date") return;
					const is_number = line.criterion.answer_type === "Number";
					this.set_value(line, is_number ? read_number(box.value) : box.value);
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
					.focus();
			} else if (step && $target.is("[role=radio], .lq-more *")) {
				event.preventDefault();
				const $all = $target.closest(".lq-more, .lq-group").find("button, select, a").filter(":visible");
				const $next = $all.eq(($all.index(event.target) + step) % $all.length);
				$next.trigger("focus");
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
			const { doc } = this.frm;
			const loaded = this.loaded_of[doc.name] || {};
			return this.frm.meta.fields
				.filter((df) => frappe.model.is_value_type(df))
				.map((df) => df.fieldname)
				.filter((fieldname) => (doc[fieldname] || "") !== (loaded[fieldname] || ""));
		}

		async save(btn) {
			const { frm } = this;
			if (!frm.is_dirty() && !frm.is_new()) {
				frappe.show_alert({ message: __("No changes in document"), indicator: "orange" });
				return false;
			}
			if (!frm.doc.lead) {
				frappe.msgprint(__("Choose the lead that is judged."));
				return false;
			}
			frappe.validated = true;
			await frm.script_manager.trigger("validate");
			if (!frappe.validated) return false;
			const { name, lead } = frm.doc;
			const sent = { ...this.edits };
			const changed = this.changed_fields();
			const args = { lead, answers: JSON.stringify(Object.values(sent)) };
			if (changed.includes("horizon")) args.horizon = frm.doc.horizon;
			if (changed.some((fieldname) => DECISION.includes(fieldname)))
				for (const fieldname of DECISION) args[fieldname] = frm.doc[fieldname] || "";
			const doc = await this.post(args, btn);
			if (!doc) return false;
			delete this.edits_of[name];
			frappe.show_alert({ message: __("Saved"), indicator: "green" }, 3);
			if (frm.is_new()) {
				frappe.model.clear_doc(frm.doctype, name);
				await frappe.set_route("Form", frm.doctype, doc.name);
				return true;
			}
			// fields that the site has added are no part of the call
			const own = frm.meta.fields.filter((df) => df.is_custom_field).map((df) => df.fieldname);
			const rest = Object.fromEntries(
				changed.filter((each) => own.includes(each)).map((each) => [each, frm.doc[each]]),
			);
			frm.doc.__unsaved = 0;
			await frm.reload_doc();
			if (Object.keys(rest).length) {
				await frm.set_value(rest);
				await this.save_form();
			}
			await frm.script_manager.trigger("after_save");
			return true;
		}

		// the Lead Qualification that came of it, or nothing if the server has refused: then all that was typed stays
		async post(args, btn) {
			this.errors = {};
			let refusal = null;
			try {
				const { message } = await frappe.call({
					method: "lead_quality.api.qualify",
					args,
					btn,
					freeze: true,
					error: (response) => (refusal = response),
				});
				return message;
			} catch (failure) {
				this.mark(refusal?._server_messages || failure?.responseJSON?._server_messages);
				return null;
			}
		}

		// a message that begins with a criterion's question belongs to its card
		mark(messages) {
			const texts = JSON.parse(messages || "[]").map((message) => {
				const { body } = new DOMParser().parseFromString(JSON.parse(message).message, "text/html");
				return body.textContent;
			});
			for (const element of this.$sheet.find(".lq-line")) {
				const line = $(element).data("line");
				const edit = this.edits[line.key];
				const text = edit && texts.find((each) => each.startsWith(`${__(line.criterion.label)}:`));
				if (!text || (edit.value && !text.includes(edit.value))) continue;
				this.errors[line.key] = text.slice(__(line.criterion.label).length + 1).trim();
				this.show_line(line);
				this.show_state(line.$line.closest(".lq-card"), line.criterion);
				element.scrollIntoView({ block: "center" });
			}
		}
	}

	frappe.ui.form.on("Lead Qualification", {
		setup(frm) {
			frm.lead_quality_sheet = new QualificationSheet(frm);
			frm.set_query("outcome_reason", () => ({
				query: "lead_quality.desk.search.reasons",
				filters: { lead: frm.doc.lead, applies_to: "Disqualify" },
			}));
		},
		refresh(frm) {
			if (!frm.is_dirty()) frm.page.set_indicator(__(frm.doc.verdict), VERDICT_COLOURS[frm.doc.verdict]);
			frm.toggle_display(SHOWN_ELSEWHERE, false);
			frm.toggle_display("lead", frm.is_new());
			// answers go through the sheet
			frm.set_df_property("answers", "read_only", 1);
			if (frm.doc.lead && !frm.is_new()) {
				frm.add_custom_button(__("Back to the Lead"), () => frappe.set_route("Form", "Lead", frm.doc.lead));
			}
			return frm.lead_quality_sheet.refresh();
		},
		lead: (frm) => frm.lead_quality_sheet.refresh(),
	});
}
