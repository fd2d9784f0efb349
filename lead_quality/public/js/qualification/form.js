// The form of a Lead Qualification is a sheet to type along with during a call.

import { refused } from "../desk/dialogs.js";
import { VERDICT } from "../engine/colours.js";
import { QualificationSheet } from "./sheet.js";

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

export const lead_qualification_form = {
	setup(frm) {
		frm.lead_quality_sheet = new QualificationSheet(frm);
		frm.set_query("outcome_reason", () => ({
			query: "lead_quality.desk.search.reasons",
			filters: { lead: frm.doc.lead, applies_to: "Disqualify" },
		}));
	},
	refresh(frm) {
		if (!frm.is_dirty()) frm.page.set_indicator(__(frm.doc.verdict), VERDICT[frm.doc.verdict]);
		frm.toggle_display(SHOWN_ELSEWHERE, false);
		frm.toggle_display("lead", frm.is_new());
		// answers go through the sheet
		frm.set_df_property("answers", "read_only", 1);
		if (frm.doc.lead && !frm.is_new()) {
			frm.add_custom_button(__("Back to the Lead"), () =>
				frappe.set_route("Form", "Lead", frm.doc.lead),
			);
		}
		return frm.lead_quality_sheet.refresh();
	},
	lead: (frm) => frm.lead_quality_sheet.refresh().catch(refused),
	before_save: (frm) => frm.lead_quality_sheet.send_answers(),
};

export const lead_qualification_list = {
	add_fields: ["verdict"],
	get_indicator: ({ verdict }) => [__(verdict), VERDICT[verdict], `verdict,=,${verdict}`],
};
