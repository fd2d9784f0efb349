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

	const { deadlines } = lead_quality;
	// as `PAUSED_BY_SNOOZE` in engine/clock.py has it
	const PAUSED_BY_SNOOZE = ["First Response", "First Touch After Acceptance"];
	const SOON = 14; // days: from then on a countdown to a lead's end is orange

	lead_quality.LeadPanel = class LeadPanel {
		constructor(frm) {
			this.frm = frm;
		}

		async refresh() {
			const lead = this.frm.doc.name;
			// nobody shall click on what belongs to the lead before
			if (this.lead !== lead) {
				this.$panel?.remove();
				this.$verdict?.remove();
			}
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
					${this.no_owner_html()}
					${this.away_html()}
					<div class="row mt-3">
						<div class="col-sm-4 mb-3">${this.qualification_html()}</div>
						<div class="col-sm-4 mb-3">${this.next_touch_html()}</div>
						<div class="col-sm-4 mb-3">${this.clocks_html()}${this.ageing_html()}</div>
					</div>
					${this.touches_html()}
				</div>`);
			// above the tabs, so that it is in sight whichever tab is open
			this.frm.layout.message.after(this.$panel);
			this.show_verdict();
			this.bind();
		}

		// beside ERPNext's own status, in sight however far down the form is scrolled
		show_verdict() {
			const { verdict } = this.data.qualification;
			this.$verdict?.remove();
			this.$verdict =
				$(`<span class="indicator-pill no-indicator-dot whitespace-nowrap d-none d-md-inline-flex
				ml-2 ${lead_quality.VERDICT_COLOURS[verdict]}" data-verdict>${__(verdict)}</span>`);
			this.frm.page.indicator.after(this.$verdict);
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
			// the count stands above it already
			const counted = __("{0} of {1} met.", [q.met_count, q.criteria_count]);
			const reason = (q.reason || "").replace(counted, "").trim();
			return `
				<div class="small text-muted">${__("Qualification")}</div>
				<div class="d-flex align-items-center mt-1" style="gap: 8px">
					<b>${__("{0} of {1} criteria", [q.met_count, q.criteria_count])}</b>
					<span class="indicator-pill ${colour}">${__(q.verdict)}</span>
				</div>
				<div class="progress mt-2" style="height: 6px">
					<div class="progress-bar ${share === 100 ? "bg-success" : ""}" style="width: ${share}%"></div>
				</div>
				<div class="small text-muted mt-1">${escape(reason)}</div>
				${this.profile_html()}${this.hint_html()}
				<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
					${this.qualify_html(q)}
					${this.triage_html(q)}
					${this.override_html(q)}
					${this.handover_html(q)}
				</div>`;
		}

		profile_html() {
			const { filled, total, missing } = this.data.profile;
			const title = missing.length ? __("Missing: {0}", [missing.join(", ")]) : "";
			return `<div class="small text-muted mt-1" data-profile title="${escape(title)}">
				${__("Company profile {0} of {1}", [filled, total])}</div>`;
		}

		// the hint is HTML of the server's: it links to the supplier or the competitor
		hint_html() {
			if (!this.data.hint) return "";
			return `<div class="small mt-1 d-flex flex-wrap align-items-center" style="gap: 4px" data-hint>
				<span>${this.data.hint}</span>${button("disqualify", __("Disqualify"))}</div>`;
		}

		qualify_html(q) {
			// answers change nothing for as long as a person has decided that it is no lead
			return q.decision === "Disqualified" ? "" : button("qualify", __("Qualify"));
		}

		triage_html(q) {
			const disqualify = this.data.hint ? "" : button("disqualify", __("Disqualify"));
			if (q.decision) {
				const undo = button("take_back", __("Take back"));
				return q.decision === "Nurture" ? `${undo}${disqualify}` : undo;
			}
			if (q.verdict === "Disqualified" || q.verdict === "Sales Ready") return "";
			const pick = (horizon) => (q.horizon === horizon ? "btn-primary-light" : "btn-default");
			return `
				${button("horizon", __("Near Term"), "Near Term", pick("Near Term"))}
				${button("horizon", __("Long Term"), "Long Term", pick("Long Term"))}
				${disqualify}`;
		}

		override_html(q) {
			if (q.verdict === "Sales Ready" || !["target", "prospect"].includes(this.data.stage)) return "";
			if (this.data.overridden) return `<span class="indicator-pill orange">${__("Gate overridden")}</span>`;
			const is_decided = q.decision || q.verdict === "Disqualified";
			return this.data.may_override && !is_decided ? button("override", __("Override…")) : "";
		}

		handover_html(q) {
			const handover = this.data.handover;
			if (handover?.status === "Sent") {
				return handover.is_mine
					? button("open_handover", __("Accept or reject"), handover.name, "btn-primary")
					: `<a class="btn btn-xs btn-default" title="${escape(handover.away || "")}"
							href="${url("Lead Handover", handover.name)}">${__("Waits for {0}", [escape(handover.to_name)])}</a>`;
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
				const is_over = this.data.stage === "sale" || this.data.qualification.verdict === "Disqualified";
				const enroll = is_over ? "" : button("enroll", __("Start a cadence"));
				const hint = this.has_fault("No Next Step")
					? `<div class="small mt-1" data-fault="No Next Step">
						<span class="indicator red"></span>${__("A lead in work needs a next step with a date.")}</div>`
					: "";
				return `${title}<div class="mt-1"><b>${__("Nothing planned")}</b></div>${hint}
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
			const snooze = this.is_resting() ? __("Snooze longer…") : __("Snooze…");
			return `${title}
				<div class="mt-1"><b>${icon} ${escape(touch.step)}</b>
					<span class="text-muted small">${__(touch.channel)}</span></div>
				${this.due_html(touch)}
				<div class="small text-muted mt-1 font-italic">${escape(touch.script || "")}</div>
				<div class="mt-2 d-flex flex-wrap" style="gap: 4px">
					${outcomes.join("")}${button("log", __("Other…"))}${button("snooze", snooze)}
				</div>`;
		}

		// a cadence that rests says so, and why; once its time has come it is due like any other, whether or not a job
		// has woken it
		is_resting() {
			const enrollment = this.data.enrollment;
			return enrollment?.status === "Snoozed" && deadlines.instant(enrollment.snoozed_until) > Date.now();
		}

		due_html(touch) {
			if (!this.is_resting()) return `<div class="small">${deadlines.html(touch)}</div>`;
			const { snoozed_until, snooze_reason } = this.data.enrollment;
			// a reason is named after what it is for
			const reason = snooze_reason ? escape(snooze_reason.replace(/^Snooze: /, "")) : "";
			return `<div class="small" data-resting>
				${deadlines.html({ ...touch, paused_until: snoozed_until }, { look: "rest" })}
				<div class="text-muted">${reason}</div></div>`;
		}

		clocks_html() {
			const rows = this.data.clocks.map((clock) => {
				const by_system = clock.missed_by_system
					? `<div class="text-muted" data-by-system>${__(
							"Missed by the system, which was not running: it counts against nobody.",
						)}</div>`
					: "";
				return `<div class="small mt-1" data-clock="${escape(clock.clock)}">
					<div class="d-flex justify-content-between flex-wrap" style="column-gap: 8px">
						<span>${__(clock.clock)}</span>${deadlines.html(clock, { title: __("Due") })}</div>
					${by_system}</div>`;
			});
			const empty = `<div class="small mt-1">✓ ${__("Nothing is due")}</div>`;
			return `<div class="small text-muted">${__("Clocks")}</div>${rows.join("") || empty}`;
		}

		has_fault(fault) {
			return Boolean(this.data.attention?.faults?.includes(fault));
		}

		no_owner_html() {
			if (!this.has_fault("No Owner")) return "";
			const mend = this.frm.has_perm("write")
				? button("take", __("Assign to me"))
				: __("Ask your manager to assign it.");
			const words = __("Nobody looks after this lead: it has no owner who could be told of its deadlines.");
			return `<div class="small mt-2 d-flex flex-wrap align-items-center" style="gap: 8px" data-fault="No Owner">
				<span><span class="indicator red"></span>${words}</span>${mend}</div>`;
		}

		away_html() {
			if (!this.data.away) return "";
			return `<div class="small mt-2" data-away><span class="indicator orange"></span>${escape(this.data.away)}</div>`;
		}

		// how long the lead keeps, in small print
		ageing_html() {
			const { stale_on, shelf_life_ends_on } = this.data.attention || {};
			const words = {
				stale: [__("Stale since {0}"), __("Stale today"), __("Stale in {0} days")],
				shelf_life: [
					__("Shelf life over since {0}"),
					__("Shelf life ends today"),
					__("Shelf life ends in {0} days"),
				],
			};
			const line = (kind, day) => {
				if (!day) return "";
				const today = frappe.datetime.system_datetime().slice(0, 10);
				const left = moment(day).startOf("day").diff(moment(today), "days");
				const [over, now, later] = words[kind];
				const colour =
					left <= 0 ? "indicator red text-danger" : left <= SOON ? "indicator orange" : "text-muted";
				const text =
					left < 0
						? over.replace("{0}", frappe.datetime.str_to_user(day))
						: left === 0
							? now
							: later.replace("{0}", left);
				return `<div class="small"><span class="${colour}" data-ageing="${kind}"
					title="${frappe.datetime.str_to_user(day)}">${text}</span></div>`;
			};
			const lines = line("stale", stale_on) + line("shelf_life", shelf_life_ends_on);
			return lines && `<div class="mt-2">${lines}</div>`;
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
				horizon: (horizon) => {
					const pressed = this.data.qualification.horizon === horizon;
					this.call("qualify", { horizon: pressed ? "Unknown" : horizon });
				},
				take_back: () => this.call("qualify", { decision: "" }),
				disqualify: () => this.disqualify(),
				override: () => this.override(),
				hand_over: () => this.hand_over(),
				create_opportunity: async () => {
					if (!(await this.passes_gate("Opportunity"))) return;
					frappe.model.open_mapped_doc({
						method: "erpnext.crm.doctype.lead.lead.make_opportunity",
						source_name: this.frm.doc.name,
					});
				},
				open_handover: (name) => frappe.set_route("Form", "Lead Handover", name),
				enroll: () => this.call("enroll", {}),
				email: () => this.write_email(),
				outcome: (outcome) => this.call("log_touch", { channel: this.data.next_touch.channel, outcome }),
				log: () => this.log_touch(),
				snooze: () => this.snooze(),
				take: () => this.take(),
			};
			this.$panel.on("click", "[data-action]", (event) => {
				const { action, value } = event.currentTarget.dataset;
				Promise.resolve(actions[action](value)).catch(lead_quality.refused);
			});
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
			const name = this.data?.qualification.name;
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
				lead_quality.ask({
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
					label: __("Log"),
					submit: (values) => this.call("log_touch", values),
				});
			});
		}

		async take() {
			await this.frm.set_value("lead_owner", frappe.session.user);
			await this.frm.save();
		}

		snooze() {
			const dialog = lead_quality.ask({
				title: __("Snooze"),
				fields: [
					{ fieldname: "picks", fieldtype: "HTML" },
					{
						fieldname: "until",
						fieldtype: "Datetime",
						label: __("Until"),
						reqd: 1,
						min_date: new Date(),
					},
					{
						fieldname: "reason",
						fieldtype: "Link",
						options: "Lead Outcome Reason",
						label: __("Why?"),
						reqd: 1,
						get_query: () => ({
							query: "lead_quality.desk.search.reasons",
							filters: { lead: this.frm.doc.name, applies_to: "Snooze" },
						}),
					},
					{ fieldname: "effect", fieldtype: "HTML", options: this.effect_of_snooze_html() },
				],
				label: __("Snooze"),
				submit: ({ until, reason }) => this.call("snooze", { until, reason }),
			});
			// on a Sunday, tomorrow is next week
			const is_first = ([, until], index, all) => all.findIndex((pick) => pick[1] === until) === index;
			const picks = this.snooze_picks()
				.filter(is_first)
				.map(([label, until]) => {
					const day = moment(until).format("ddd D MMM");
					return `<button class="btn btn-xs btn-default" data-until="${until}">${label}
					<span class="text-muted">${day}</span></button>`;
				});
			dialog.fields_dict.picks.$wrapper
				.html(`<div class="d-flex flex-wrap mb-3" style="gap: 6px">${picks.join("")}</div>`)
				.on("click", "[data-until]", (event) =>
					dialog.set_value("until", frappe.datetime.convert_to_system_tz(event.currentTarget.dataset.until)),
				);
		}

		// words and the instants they mean, in the user's zone: the morning of that day
		snooze_picks() {
			const morning = (day) => day.startOf("day").hour(9).format(frappe.defaultDatetimeFormat);
			const now = () => moment(frappe.datetime.now_datetime());
			return [
				[__("Tomorrow"), morning(now().add(1, "day"))],
				[__("Next week"), morning(now().add(1, "week").startOf("isoWeek"))],
				[__("Next month"), morning(now().add(1, "month"))],
			];
		}

		effect_of_snooze_html() {
			const names = (clocks) => clocks.map(({ clock }) => `<b>${__(clock)}</b>`).join(", ");
			const is_late = (clock) => deadlines.state(deadlines.of(clock)) === "Overdue";
			// the next touch moves with the cadence
			const others = this.data.clocks.filter(({ clock }) => clock !== "Next Touch");
			const waits = ({ clock }) => PAUSED_BY_SNOOZE.includes(clock);
			const paused = others.filter((clock) => waits(clock) && !is_late(clock));
			const late = others.filter((clock) => waits(clock) && is_late(clock));
			const running = others.filter((clock) => !waits(clock));
			const lines = [
				__("The cadence rests: {0} is due then. A touch that you log meanwhile ends the rest.", [
					`<b>${escape(this.data.next_touch.step)}</b>`,
				]),
				paused.length && __("Paused until then: {0}.", [names(paused)]),
				late.length && __("Overdue already, so not paused: {0}.", [names(late)]),
				running.length && __("Still running: {0}.", [names(running)]),
			];
			const items = lines.filter(Boolean).map((line) => `<li>${line}</li>`);
			return `<ul class="small text-muted pl-3 mb-0" data-effect>${items.join("")}</ul>`;
		}

		disqualify() {
			const decide = (decision) => {
				const values = dialog.get_values();
				if (!values) return;
				if (decision === "Disqualified") delete values.nurture_until;
				lead_quality.submit(dialog, () => this.call("qualify", { decision, ...values }));
			};
			// a reason that says "later" is no reason to lose the lead
			const propose = (later) => {
				dialog.set_df_property("nurture_until", "hidden", !later);
				dialog.set_df_property("nurture_until", "reqd", later);
				if (later && !dialog.get_value("nurture_until")) {
					dialog.set_value("nurture_until", frappe.datetime.add_months(frappe.datetime.get_today(), 3));
				}
				if (!later) dialog.set_value("nurture_until", null);
				dialog.set_primary_action(later ? __("Nurture until then") : __("Disqualify"), () =>
					decide(later ? "Nurture" : "Disqualified"),
				);
				dialog.set_secondary_action_label(__("Disqualify all the same"));
				dialog.get_secondary_btn().toggleClass("hide", !later);
			};
			const dialog = new frappe.ui.Dialog({
				title: __("Disqualify"),
				fields: [
					{
						fieldname: "outcome_reason",
						fieldtype: "Link",
						options: "Lead Outcome Reason",
						label: __("Why is this not a lead?"),
						reqd: 1,
						get_query: () => ({
							query: "lead_quality.desk.search.reasons",
							filters: { lead: this.frm.doc.name, applies_to: "Disqualify" },
						}),
						change: async () => {
							const reason = dialog.get_value("outcome_reason");
							if (reason === this.asked_reason) return;
							this.asked_reason = reason;
							const { message } = reason
								? await frappe.db.get_value("Lead Outcome Reason", reason, "proposes_nurture")
								: {};
							if (reason === this.asked_reason) propose(Boolean(message?.proposes_nurture));
						},
					},
					{
						fieldname: "nurture_until",
						fieldtype: "Date",
						label: __("Nurture until"),
						description: __("On this day the lead is open again."),
						min_date: new Date(),
						hidden: 1,
					},
				],
				secondary_action: () => decide("Disqualified"),
			});
			this.asked_reason = null;
			propose(false);
			dialog.show();
		}

		// asked before ERPNext makes a Prospect and a Contact for a document that is refused in the end
		async passes_gate(doctype) {
			const { message: answer } = await frappe.call({
				method: "lead_quality.api.check_gate",
				args: { lead: this.frm.doc.name, doctype },
				type: "GET",
			});
			if (answer.passes) return true;
			const dialog = new frappe.ui.Dialog({
				title: __("Not Sales Ready"),
				fields: [{ fieldtype: "HTML", options: `<p>${answer.message}</p>` }],
				primary_action_label: __("Qualify"),
				primary_action: () => {
					dialog.hide();
					this.open_qualification();
				},
			});
			if (this.data?.may_override) {
				dialog.set_secondary_action(() => {
					dialog.hide();
					this.override();
				});
				dialog.set_secondary_action_label(__("Override…"));
			}
			dialog.show();
			return false;
		}

		override() {
			lead_quality.ask({
				title: __("Override the Gate for One Opportunity"),
				fields: [
					{
						fieldname: "reason",
						fieldtype: "Link",
						options: "Lead Outcome Reason",
						label: __("Why may this lead become an Opportunity now?"),
						reqd: 1,
						get_query: () => ({
							query: "lead_quality.desk.search.reasons",
							filters: { lead: this.frm.doc.name, applies_to: "Override" },
						}),
					},
					{ fieldname: "note", fieldtype: "Small Text", label: __("Note") },
				],
				label: __("Override"),
				submit: (values) => this.call("override_gate", values),
			});
		}

		hand_over() {
			lead_quality.ask({
				title: __("Hand Over"),
				fields: [
					{
						fieldname: "to_user",
						fieldtype: "Link",
						options: "User",
						label: __("Who takes it over?"),
						reqd: 1,
						get_query: () => ({ query: "lead_quality.desk.search.receivers" }),
					},
					{ fieldname: "expected_value", fieldtype: "Currency", label: __("Expected Value") },
					{
						fieldname: "note",
						fieldtype: "Small Text",
						label: __("What should they know?"),
					},
				],
				label: __("Hand Over"),
				submit: (values) => this.call("send_handover", values),
			});
		}
	};

	// what ERPNext makes from a lead: the method of its controller, and what the user must be allowed to create
	const MADE = { make_customer: "Customer", make_quotation: "Quotation", make_opportunity: "Opportunity" };

	// ERPNext binds these methods to its buttons when the form is set up and at every refresh
	const ask_the_gate_first = (frm) => {
		for (const [method, doctype] of Object.entries(MADE)) {
			const make = frm.cscript[method];
			frm.cscript[method] = async function () {
				if (await frm.lead_quality_panel.passes_gate(doctype)) await make.call(frm.cscript);
			};
		}
	};

	// after ERPNext has added its buttons: a button that ends in a permission error helps nobody
	const remove_what_is_not_allowed = (frm) => {
		const refresh = frm.cscript.refresh;
		frm.cscript.refresh = function (...args) {
			const done = refresh.apply(frm.cscript, args);
			for (const doctype of [...Object.values(MADE), "Prospect"]) {
				if (!frappe.model.can_create(doctype)) frm.remove_custom_button(__(doctype), __("Create"));
			}
			if (!frappe.model.can_write("Prospect")) {
				frm.remove_custom_button(__("Add to Prospect"), __("Action"));
			}
			return done;
		};
	};

	frappe.ui.form.on("Lead", {
		setup(frm) {
			frm.lead_quality_panel = new lead_quality.LeadPanel(frm);
			ask_the_gate_first(frm);
			remove_what_is_not_allowed(frm);
			// many things may happen to a lead at once: one look is enough
			const refresh = frappe.utils.debounce(() => frm.lead_quality_panel.refresh(), 500);
			frappe.realtime.on("lead_quality_changed", ({ lead }) => {
				if (cur_frm === frm && lead === frm.doc.name) refresh();
			});
		},
		refresh(frm) {
			frm.lead_quality_panel.refresh();
		},
	});
}
