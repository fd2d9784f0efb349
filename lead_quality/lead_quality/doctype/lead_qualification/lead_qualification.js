{
	// The sheet: one card a criterion, so that a call can be typed along. It writes the answers' rows.

	const CONTROLS = {
		Check: { fieldtype: "Select", options: "\nYes\nNo" },
		Number: { fieldtype: "Float", precision: 2 },
		Date: { fieldtype: "Date" },
		Text: { fieldtype: "Small Text" },
	};

	frappe.ui.form.on("Lead Qualification", {
		setup(frm) {
			frm.set_query("outcome_reason", () => ({
				query: "lead_quality.desk.reasons",
				filters: { lead: frm.doc.lead, applies_to: "Disqualify" },
			}));
		},
		async refresh(frm) {
			const colours = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };
			frm.page.set_indicator(__(frm.doc.verdict), colours[frm.doc.verdict]);
			if (frm.doc.lead && !frm.is_new()) {
				frm.add_custom_button(__("Back to the Lead"), () => frappe.set_route("Form", "Lead", frm.doc.lead));
			}
			if (frm.doc.lead) await render_sheet(frm);
		},
		lead: (frm) => render_sheet(frm),
	});

	const render_sheet = async (frm) => {
		const { message } = await frappe.call({
			method: "lead_quality.api.get_checklist",
			args: { lead: frm.doc.lead },
			type: "GET",
		});
		const $sheet = frm.fields_dict.sheet.$wrapper.empty();
		for (const criterion of message.criteria) {
			render_criterion(frm, criterion, $sheet);
		}
	};

	const render_criterion = (frm, criterion, $sheet) => {
		const row = find_row(frm, criterion);
		const met = row.value ? (row.met ? "green" : "red") : "gray";
		const $card = $(`
			<div class="border rounded p-3 mb-3" data-criterion="${criterion.criterion}">
				<div class="d-flex justify-content-between">
					<b>${frappe.utils.escape_html(__(criterion.label))}</b>
					<span class="indicator-pill ${met}">${row.value ? (row.met ? __("Met") : __("Not met")) : __("Open")}</span>
				</div>
				<div class="small text-muted mb-2">${frappe.utils.escape_html(__(criterion.guidance || ""))}</div>
				<div class="row">
					<div class="col-sm-5 answer"></div><div class="col-sm-3 evidence"></div><div class="col-sm-4 note"></div>
				</div>
				<div class="small text-muted">${stamp(row)}</div>
			</div>`).appendTo($sheet);
		const control =
			criterion.answer_type === "Select"
				? { fieldtype: "Select", options: `\n${criterion.options || ""}` }
				: CONTROLS[criterion.answer_type];
		make_control($card.find(".answer"), frm, row, "value", { ...control, label: __("Answer") });
		$card.find(".answer textarea").css("height", "70px");
		make_control($card.find(".evidence"), frm, row, "evidence_grade", {
			fieldtype: "Select",
			options: "\nObserved\nStated\nInferred\nAssumed",
			label: __("Evidence"),
		});
		make_control($card.find(".note"), frm, row, "note", { fieldtype: "Data", label: __("Note") });
	};

	const find_row = (frm, criterion) => {
		const row = (frm.doc.answers || []).find((answer) => answer.criterion === criterion.criterion);
		if (row) return row;
		return frm.add_child("answers", { criterion: criterion.criterion, label: criterion.label });
	};

	const make_control = ($parent, frm, row, fieldname, df) => {
		// the row keeps text with a decimal point; a Float control reads text in the user's own number format
		const is_number = df.fieldtype === "Float";
		const typed = (text) => (is_number && text ? parseFloat(text) : text || "");
		const control = frappe.ui.form.make_control({
			parent: $parent,
			df: {
				...df,
				fieldname,
				change() {
					const value = control.get_value();
					// a control also reports the value that it was given to begin with
					if (typed(value === null || value === undefined ? "" : String(value)) === typed(row[fieldname])) {
						return;
					}
					const text = value === null || value === undefined ? "" : String(value);
					frappe.model.set_value(row.doctype, row.name, fieldname, text);
				},
			},
			render_input: true,
		});
		control.set_value(typed(row[fieldname]));
		if (!frm.has_perm("write")) control.df.read_only = 1;
		control.refresh();
	};

	const stamp = (row) => {
		if (!row.answered_on) return "";
		const when = frappe.datetime.comment_when(row.answered_on);
		return row.answered_by
			? __("Answered by {0} {1}", [frappe.user.full_name(row.answered_by), when])
			: __("Taken from the lead {0}", [when]);
	};
}
