// The form of a Nurture Cadence: its plan in words, and what looks like a mistake in it.

import { offer_lead_fields } from "../desk/lead_fields.js";
import { html } from "../engine/markup.js";

const DATES = ["Date", "Datetime"];

export const nurture_cadence_form = {
	refresh(frm) {
		offer_lead_fields(frm, "steps", "date_field", (df) => DATES.includes(df.fieldtype));
		const { plan = [], warnings = [] } = frm.is_new() ? {} : frm.doc.__onload || {};
		if (plan.length) {
			const lines = plan.map((line) => html`<li>${line}</li>`);
			frm.set_intro(String(html`<ol class="lq-in-words mb-0 pl-4">${lines}</ol>`), "blue");
		}
		if (warnings.length) {
			const lines = warnings.map((line) => html`<div data-warning>${line}</div>`);
			frm.set_intro(String(html`${lines}`), "orange");
		}
	},
};
