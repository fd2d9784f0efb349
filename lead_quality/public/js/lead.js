// The panel on the Lead form: where the lead stands, what is next, and the buttons that record it.

frappe.provide("lead_quality");

lead_quality.STAGES = ["target", "prospect", "opportunity", "sale"];
lead_quality.CHANNEL_ICONS = {
	Email: "✉",
	Phone: "☎",
	Voicemail: "☎",
	LinkedIn: "in",
	Letter: "✉",
	"Direct Mail": "✉",
};
lead_quality.VERDICT_COLOURS = {
	Open: "orange",
	"Sales Ready": "green",
	Nurture: "blue",
	Disqualified: "gray",
};
// outcomes offered in one click, the most frequent first
lead_quality.QUICK_OUTCOMES = {
	Phone: ["No Answer", "Left Message", "Connected", "Meeting Booked"],
	Voicemail: ["Left Message", "Connected"],
	Email: ["Replied"],
	LinkedIn: ["Left Message", "Replied"],
};

// desk scripts are evaluated in the global scope: the block keeps these names to themselves
{
	const escape = (text) => frappe.utils.escape_html(String(text));
	const url = (doctype, name) => frappe.utils.get_form_link(doctype, name);
	const button = (action, label, value = "", colour = "btn-default") =>
		`<button class="btn btn-xs ${colour}" data-action="${action}" data-value="${escape(value)}">${label}</button>`;

	// minutes matter within two days, after that only days do
	const time_span = (minutes) => {
		if (minutes < 60) return __("{0}m", [minutes]);
		if (minutes < 48 * 60) return __("{0}h {1}m", [Math.floor(minutes / 60), minutes % 60]);
		return __("{0}d", [Math.floor(minutes / 1440)]);
	};

	// a deadline (site time) as words that say how long is left, coloured by how urgent it is
	const due_html = (due, warn) => {
		const now = moment(frappe.datetime.system_datetime());
		const minutes = moment(due).diff(now, "minutes");
		const overdue = minutes < 0;
		const colour = overdue ? "red" : warn && now.isSameOrAfter(moment(warn)) ? "orange" : "green";
		const span = time_span(Math.abs(minutes));
		const words = overdue ? __("{0} overdue", [span]) : __("in {0}", [span]);
		return `<span class="indicator ${colour}" data-due="${due}" data-warn="${warn || ""}"
			title="${frappe.datetime.str_to_user(due)}">${words}</span>`;
	};

	lead_quality.LeadPanel = class LeadPanel {
		constructor(frm) {
			this.frm = frm;
		}

		async refresh() {
			const lead = this.frm.doc.name;
			// nobody shall click on what belongs to the lead before
			if (this.lead !== lead) this.$panel?.remove();
			this.lead = lead;
			if (this.frm.is_new()) return;
			const { message } = await frappe.call({
				method: "lead_quality.api.get_panel",
				args: { lead },
				type: "GET",
			});
			// the user may have moved on to another lead while this one was loading
			if (this.frm.doc.name !== lead) return;
			this.data = message;
			this.render();
		}

		render() {
			this.$panel?.remove();
			this.$panel = $(`
				<div class="lead-quality-panel border-bottom px-4 py-3">
					${this.funnel_html()}
					<div class="row mt-3">
						<div class="col-sm-4 mb-3">${this.qualification_html()}</div>
						<div class="col-sm-4 mb-3">${this.next_touch_html()}</div>
						<div class="col-sm-4 mb-3">${this.clocks_html()}</div>
					</div>
					${this.touches_html()}
				</div>`);
			// above the tabs, so that it is in sight whichever tab is open
			this.frm.layout.message.after(this.$panel);
			this.bind();
			this.tick();
		}

		funnel_html() {
			const reached = lead_quality.STAGES.indexOf(this.data.stage);
			const steps = lead_quality.STAGES.map((stage, index) => {
				const colour = index === reached ? "blue" : index < reached ? "green" : "gray";
				return `<span class="indicator-pill no-indicator-dot ${colour} text-capitalize" data-stage="${stage}">${
					index < reached ? "✓ " : ""
				}${__(stage)}</span>`;
			});
			const segment = this.data.segment
				? `<span class="text-muted small ml-auto">${__("Segment")}: ${escape(this.data.segment)}</span>`
				: "";
			return `<div class="d-flex align-items-center flex-wrap" style="gap: 6px">
				${steps.join('<span class="text-muted">→</span>')}${segment}</div>`;
		}

		qualification_html() {
			const q = this.data.qualification;
			const share = q.criteria_count ? (100 * q.met_count) / q.criteria_count : 0;
			const colour = lead_quality.VERDICT_COLOURS[q.verdict];
			return `
				<div class="small text-muted">${__("Qualification")}</div>
				<div class="d-flex align-items-center mt-1" style="gap: 8px">
					<b>${__("{0} of {1} criteria", [q.met_count, q.criteria_count])}</b>
					<span class="indicator-pill ${colour}">${__(q.verdict)}</span>
				</div>
				<div class="progress mt-2" style="height: 6px">
					<div class="progress-bar ${share === 100 ? "bg-success" : ""}" style="width: ${share}%"></div>
				</div>
				<div class="small text-muted mt-1">${escape(q.reason || "")}</div>
				<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
					${button("qualify", __("Qualify"))}
					${this.triage_html(q)}
					${this.override_html(q)}
					${this.handover_html(q)}
				</div>`;
		}

		triage_html(q) {
			if (q.verdict === "Disqualified" || q.verdict === "Sales Ready") return "";
			const pick = (horizon) => (q.horizon === horizon ? "btn-primary-light" : "btn-default");
			return `
				${button("horizon", __("Near Term"), "Near Term", pick("Near Term"))}
				${button("horizon", __("Long Term"), "Long Term", pick("Long Term"))}
				${button("disqualify", __("Disqualify"))}`;
		}

		override_html(q) {
			if (q.verdict === "Sales Ready" || !["target", "prospect"].includes(this.data.stage)) return "";
			if (this.data.overridden) return `<span class="indicator-pill orange">${__("Gate overridden")}</span>`;
			return this.data.may_override ? button("override", __("Override…")) : "";
		}

		handover_html(q) {
			const handover = this.data.handover;
			if (handover?.status === "Sent") {
				const mine = handover.to_user === frappe.session.user;
				return mine
					? button("open_handover", __("Accept or reject"), handover.name, "btn-primary")
					: `<a class="btn btn-xs btn-default" href="${url("Lead Handover", handover.name)}">${__(
							"Waits for {0}",
							[escape(handover.to_name)],
						)}</a>`;
			}
			if (handover) {
				const create =
					["target", "prospect"].includes(this.data.stage) && frappe.model.can_create("Opportunity")
						? button("create_opportunity", __("Create Opportunity"), "", "btn-primary")
						: "";
				return `${create}<a class="btn btn-xs btn-default" href="${url("Lead Handover", handover.name)}">${__(
					"Accepted by {0}",
					[escape(handover.to_name)],
				)}</a>`;
			}
			return q.verdict === "Sales Ready" ? button("hand_over", __("Hand Over"), "", "btn-primary") : "";
		}

		next_touch_html() {
			const touch = this.data.next_touch;
			const title = `<div class="small text-muted">${__("Next Touch")}</div>`;
			if (!touch) {
				const enroll = this.data.stage === "sale" ? "" : button("enroll", __("Start a cadence"));
				return `${title}<div class="mt-1"><b>${__("Nothing planned")}</b></div>
					<div class="mt-2 d-flex flex-wrap" style="gap: 4px">${enroll}${button("log", __("Log a touch"))}</div>`;
			}
			const icon = lead_quality.CHANNEL_ICONS[touch.channel] || "•";
			const outcomes = (lead_quality.QUICK_OUTCOMES[touch.channel] || []).map((outcome) =>
				button("outcome", __(outcome), outcome),
			);
			if (touch.channel === "Email") {
				// one black button at a time: a lead that is ready is to be handed over first
				const colour = this.data.qualification.verdict === "Sales Ready" ? "btn-default" : "btn-primary";
				outcomes.unshift(button("email", __("Write e-mail"), "", colour));
			} else if (touch.channel !== "Phone") {
				outcomes.unshift(button("outcome", __("Done"), ""));
			}
			return `${title}
				<div class="mt-1"><b>${icon} ${escape(touch.step)}</b>
					<span class="text-muted small">${__(touch.channel)}</span></div>
				<div class="small">${due_html(touch.due_at)}</div>
				<div class="small text-muted mt-1 font-italic">${escape(touch.script || "")}</div>
				<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
					${outcomes.join("")}${button("log", __("Other…"))}
				</div>`;
		}

		clocks_html() {
			const rows = this.data.clocks.map(
				(clock) => `<div class="d-flex justify-content-between small mt-1">
					<span>${__(clock.clock)}</span>${due_html(clock.due_at, clock.warn_at)}</div>`,
			);
			const empty = `<div class="small mt-1">✓ ${__("Nothing is due")}</div>`;
			return `<div class="small text-muted">${__("Clocks")}</div>${rows.join("") || empty}`;
		}

		touches_html() {
			if (!this.data.touches.length) return "";
			const rows = this.data.touches.map((touch) => {
				const words = [__(touch.channel), touch.outcome && __(touch.outcome), touch.note].filter(Boolean);
				return `<div class="small text-muted ellipsis">${frappe.datetime.comment_when(touch.done_at)} ·
					${escape(words.join(" · "))}</div>`;
			});
			return `<div class="border-top pt-2">${rows.join("")}</div>`;
		}

		bind() {
			const actions = {
				qualify: () => this.open_qualification(),
				horizon: (horizon) => this.call("qualify", { horizon }),
				disqualify: () => this.disqualify(),
				override: () => this.override(),
				hand_over: () => this.hand_over(),
				create_opportunity: () =>
					frappe.model.open_mapped_doc({
						method: "erpnext.crm.doctype.lead.lead.make_opportunity",
						source_name: this.frm.doc.name,
					}),
				open_handover: (name) => frappe.set_route("Form", "Lead Handover", name),
				enroll: () => this.call("enroll", {}),
				email: () => this.write_email(),
				outcome: (outcome) => this.call("log_touch", { channel: this.data.next_touch.channel, outcome }),
				log: () => this.log_touch(),
			};
			this.$panel.on("click", "[data-action]", (event) => {
				const { action, value } = event.currentTarget.dataset;
				actions[action](value);
			});
		}

		// deadlines count down while the form is open
		tick() {
			clearInterval(this.timer);
			this.timer = setInterval(() => {
				if (!document.body.contains(this.$panel[0])) return clearInterval(this.timer);
				this.$panel.find("[data-due]").each((_, element) => {
					$(element).replaceWith(due_html(element.dataset.due, element.dataset.warn));
				});
			}, 30000);
		}

		async post(method, args) {
			const { message } = await frappe.call({
				method: `lead_quality.api.${method}`,
				args: { lead: this.frm.doc.name, ...args },
				freeze: true,
			});
			return message;
		}

		async call(method, args) {
			await this.post(method, args);
			this.after_change();
		}

		after_change() {
			// what has been typed into the form and not been saved stays there
			if (this.frm.is_dirty()) this.refresh();
			else this.frm.reload_doc();
		}

		async open_qualification() {
			const name = this.data.qualification.name;
			if (name) return frappe.set_route("Form", "Lead Qualification", name);
			// no reload of this form, which is about to be left
			const doc = await this.post("qualify", {});
			frappe.set_route("Form", "Lead Qualification", doc.name);
		}

		write_email() {
			new frappe.views.CommunicationComposer({
				doc: this.frm.doc,
				frm: this.frm,
				recipients: this.frm.doc.email_id,
				subject: "",
				message: "",
			});
		}

		log_touch() {
			const options = (fieldname) =>
				frappe.meta.get_docfield("Lead Touch", fieldname).options.split("\n").filter(Boolean);
			frappe.model.with_doctype("Lead Touch", () => {
				const dialog = new frappe.ui.Dialog({
					title: __("Log a Touch"),
					fields: [
						{
							fieldname: "channel",
							fieldtype: "Select",
							label: __("Channel"),
							options: options("channel"),
							default: this.data.next_touch?.channel || "Phone",
							reqd: 1,
						},
						{
							fieldname: "outcome",
							fieldtype: "Select",
							label: __("Outcome"),
							options: ["", ...options("outcome")],
							mandatory_depends_on: "eval:doc.channel=='Phone'",
						},
						{ fieldtype: "Column Break" },
						{
							fieldname: "direction",
							fieldtype: "Select",
							label: __("Direction"),
							options: options("direction"),
							default: "Outbound",
							reqd: 1,
						},
						{
							fieldname: "done_at",
							fieldtype: "Datetime",
							label: __("When"),
							description: __("Empty: just now"),
						},
						{ fieldtype: "Section Break" },
						{ fieldname: "note", fieldtype: "Small Text", label: __("Note") },
					],
					primary_action_label: __("Log"),
					primary_action: async (values) => {
						await this.call("log_touch", values);
						dialog.hide();
					},
				});
				dialog.show();
			});
		}

		disqualify() {
			frappe.prompt(
				{
					fieldname: "outcome_reason",
					fieldtype: "Link",
					options: "Lead Outcome Reason",
					label: __("Why is this not a lead?"),
					reqd: 1,
					get_query: () => ({
						query: "lead_quality.desk.reasons",
						filters: { lead: this.frm.doc.name, applies_to: "Disqualify" },
					}),
				},
				(values) => this.call("qualify", { decision: "Disqualified", ...values }),
				__("Disqualify"),
				__("Disqualify"),
			);
		}

		override() {
			frappe.prompt(
				[
					{
						fieldname: "reason",
						fieldtype: "Link",
						options: "Lead Outcome Reason",
						label: __("Why may this lead become an Opportunity now?"),
						reqd: 1,
						get_query: () => ({
							query: "lead_quality.desk.reasons",
							filters: { lead: this.frm.doc.name, applies_to: "Override" },
						}),
					},
					{ fieldname: "note", fieldtype: "Small Text", label: __("Note") },
				],
				(values) => this.call("override_gate", values),
				__("Override the Gate for One Opportunity"),
				__("Override"),
			);
		}

		hand_over() {
			frappe.prompt(
				[
					{
						fieldname: "to_user",
						fieldtype: "Link",
						options: "User",
						label: __("Who takes it over?"),
						reqd: 1,
						get_query: () => ({ query: "lead_quality.desk.receivers" }),
					},
					{ fieldname: "expected_value", fieldtype: "Currency", label: __("Expected Value") },
					{
						fieldname: "note",
						fieldtype: "Small Text",
						label: __("What should they know?"),
					},
				],
				(values) => this.call("send_handover", values),
				__("Hand Over"),
				__("Hand Over"),
			);
		}
	};

	frappe.ui.form.on("Lead", {
		setup(frm) {
			// many things may happen to a lead at once: one look is enough
			const refresh = frappe.utils.debounce(() => frm.lead_quality_panel?.refresh(), 500);
			frappe.realtime.on("lead_quality_changed", ({ lead }) => {
				if (cur_frm === frm && lead === frm.doc.name) refresh();
			});
		},
		refresh(frm) {
			frm.lead_quality_panel = frm.lead_quality_panel || new lead_quality.LeadPanel(frm);
			frm.lead_quality_panel.refresh();
		},
	});
}
