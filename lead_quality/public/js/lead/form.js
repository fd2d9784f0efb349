// The Lead form: the panel, and the gate before ERPNext makes anything from a lead.

import { refused } from "../desk/dialogs.js";
import { is_on_screen, may_read } from "../desk/form.js";
import { LeadPanel } from "./panel.js";

// what ERPNext makes from a lead, and the method of its controller that makes it
const MADE = { Customer: "make_customer", Opportunity: "make_opportunity", Quotation: "make_quotation" };

export const lead_form = {
	setup(frm) {
		frm.lead_quality_panel = new LeadPanel(frm);
		// many things may happen to a lead at once: one look is enough
		const refresh = frappe.utils.debounce(() => refresh_if_readable(frm).catch(refused), 500);
		frappe.realtime.on("lead_quality_changed", ({ lead }) => {
			if (is_on_screen(frm) && lead === frm.doc.name) refresh();
		});
		// Frappe calls this one after ERPNext's own refresh, which adds the buttons
		const { custom_refresh } = frm.cscript;
		frm.cscript.custom_refresh = (...args) => {
			const done = custom_refresh?.apply(frm.cscript, args);
			ask_the_gate_first(frm);
			return done;
		};
	},
	refresh(frm) {
		frm.lead_quality_panel.refresh();
	},
};

// What has happened to a lead may have taken it out of the user's sight, of which its next load will tell.
async function refresh_if_readable(frm) {
	if (await may_read("Lead", frm.doc.name)) await frm.lead_quality_panel.refresh();
}

// A button that ends in a permission error helps nobody; the others ask the gate before anything is made.
function ask_the_gate_first(frm) {
	const group = __("Create");
	for (const [doctype, method] of Object.entries(MADE)) {
		const make = () => make_from_lead(frm, doctype, method).catch(refused);
		const is_offered = __(doctype) in frm.custom_buttons;
		frm.make_methods = { ...frm.make_methods, [doctype]: make };
		if (!is_offered) continue;
		frm.remove_custom_button(__(doctype), group);
		if (frappe.model.can_create(doctype)) frm.add_custom_button(__(doctype), make, group);
	}
	if (!frappe.model.can_create("Prospect")) frm.remove_custom_button(__("Prospect"), group);
	if (!frappe.model.can_write("Prospect")) frm.remove_custom_button(__("Add to Prospect"), __("Action"));
}

async function make_from_lead(frm, doctype, method) {
	if (await frm.lead_quality_panel.passes_gate(doctype)) await frm.cscript[method]();
}
