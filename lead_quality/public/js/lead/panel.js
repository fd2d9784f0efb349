// The panel on the Lead form: where the lead stands, what is next, and the buttons that record it.

import { element, refused } from "../desk/dialogs.js";
import { document_of } from "../desk/form.js";
import { write_email } from "../desk/mail.js";
import { last_question } from "../engine/latest.js";
import { fill, html } from "../engine/markup.js";
import * as dialogs from "./dialogs.js";
import { panel_html, verdict_html } from "./panel_html.js";

const UNDO_WITHIN = 12; // seconds

export class LeadPanel {
	constructor(frm) {
		this.frm = frm;
		this.latest = last_question();
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
		const answer = await this.latest(
			frappe.call({ method: "lead_quality.api.get_panel", args: { lead }, type: "GET" }),
		);
		// the user may have moved on to another lead while this one was loading
		if (!answer || this.frm.doc.name !== lead) return;
		this.data = answer.message;
		this.render();
	}

	render() {
		this.$panel?.remove();
		this.$panel = element(panel_html(this.data, { may_write: this.frm.has_perm("write") }));
		// above the tabs, so that it is in sight whichever tab is open
		this.frm.layout.message.after(this.$panel);
		this.$verdict?.remove();
		// beside ERPNext's own status, in sight however far down the form is scrolled
		this.$verdict = element(verdict_html(this.data.qualification.verdict));
		this.frm.page.indicator.after(this.$verdict);
		this.bind();
	}

	bind() {
		const actions = {
			qualify: () => this.open_qualification(),
			horizon: (horizon) => {
				const pressed = this.data.qualification.horizon === horizon;
				return this.call("qualify", { horizon: pressed ? "Unknown" : horizon });
			},
			take_back: () => this.call("qualify", { decision: "" }),
			disqualify: () => dialogs.disqualify(this),
			override: () => dialogs.override(this),
			hand_over: () => dialogs.hand_over(this),
			create_opportunity: () => this.create_opportunity(),
			open_handover: (name) => frappe.set_route("Form", "Lead Handover", name),
			enroll: () => this.call("enroll", {}),
			email: () => this.write_email(),
			outcome: (outcome) => this.log_touch({ channel: this.data.next_touch.channel, outcome }),
			log: () => dialogs.log_touch(this),
			snooze: () => dialogs.snooze(this),
			opt_out: () => dialogs.opt_out(this),
			take: () => this.take(),
		};
		this.$panel.on("click", "[data-action]", (event) => {
			const { action, value } = event.currentTarget.dataset;
			Promise.resolve(actions[action](value)).catch(refused);
		});
	}

	async post(method, args) {
		const { message } = await frappe.call({
			method: `lead_quality.api.${method}`,
			args: { lead: this.lead, ...args },
			freeze: true,
		});
		return message;
	}

	async call(method, args) {
		const doc = await this.post(method, args);
		this.after_change();
		return doc;
	}

	after_change() {
		// what has been typed into the form and not been saved stays there
		if (this.frm.is_dirty()) this.refresh();
		else this.frm.reload_doc();
	}

	// A touch is logged by one click, and one click may be the wrong one.
	async log_touch(values) {
		const touch = await this.call("log_touch", values);
		const what = [__(touch.channel), touch.outcome && __(touch.outcome)].filter(Boolean).join(" · ");
		const undo = html`<a href="#" class="bold ml-2" data-action="undo">${__("Undo")}</a>`;
		const message = String(html`${fill(__("Logged: {0}."), what)} ${undo}`);
		frappe.show_alert({ message, indicator: "green" }, UNDO_WITHIN, {
			undo: (event) => {
				event.preventDefault();
				const $toast = $(event.currentTarget).closest(".desk-alert");
				if ($toast.data("is_undone")) return;
				$toast.data("is_undone", true);
				this.undo(touch)
					.then(() => $toast.find(".close").trigger("click"))
					.catch((reason) => {
						$toast.data("is_undone", false);
						refused(reason);
					});
			},
		});
	}

	async undo(touch) {
		await frappe.call({
			method: "lead_quality.api.undo_touch",
			args: { touch: touch.name },
			freeze: true,
		});
		frappe.show_alert({ message: __("Undone"), indicator: "blue" });
		// the user may have gone to the next lead meanwhile
		if (this.lead === touch.lead) this.after_change();
	}

	async create_opportunity() {
		if (!(await this.passes_gate("Opportunity"))) return;
		frappe.model.open_mapped_doc({
			method: "erpnext.crm.doctype.lead.lead.make_opportunity",
			source_name: this.lead,
		});
	}

	async open_qualification() {
		const name = this.data?.qualification.name;
		if (name) return frappe.set_route("Form", "Lead Qualification", name);
		// no reload of this form, which is about to be left
		const doc = await this.post("qualify", {});
		frappe.set_route("Form", "Lead Qualification", doc.name);
	}

	// What would stop the e-mail is said before anything is typed.
	write_email() {
		if (this.data.mail_problem) {
			frappe.msgprint({
				title: __("No E-mail Can Be Sent Yet"),
				message: String(html`${this.data.mail_problem}`),
				indicator: "orange",
			});
			return;
		}
		write_email({
			doc: this.frm.doc,
			frm: this.frm,
			recipients: this.frm.doc.email_id,
			subject: "",
			message: "",
		});
	}

	async take() {
		if (!(await document_of(this.frm))) return;
		await this.frm.set_value("lead_owner", frappe.session.user);
		await this.frm.save();
	}

	// Asked before ERPNext makes a Prospect and a Contact for a document that is refused in the end.
	async passes_gate(doctype) {
		const { message: answer } = await frappe.call({
			method: "lead_quality.api.check_gate",
			args: { lead: this.lead, doctype },
			type: "GET",
		});
		if (!answer.passes) dialogs.not_ready(this, doctype, answer.message);
		return answer.passes;
	}
}
