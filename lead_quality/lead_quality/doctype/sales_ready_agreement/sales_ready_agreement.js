{
	frappe.ui.form.on("Sales Ready Agreement", {
		setup(frm) {
			frm.set_query("checklist", () => ({ filters: { status: "Active" } }));
			frm.set_query("reason", "reasons", () => ({ filters: { enabled: 1 } }));
		},
		refresh(frm) {
			const colours = { Draft: "gray", "Awaiting Signature": "orange", Active: "green", Superseded: "gray" };
			frm.page.set_indicator(__(frm.doc.status), colours[frm.doc.status]);
			const state = !frm.is_new() && frm.doc.__onload && frm.doc.__onload.signing;
			frm.toggle_display(["readers_section", "signatures_section"], !!state);
			if (!state) return;
			frm.set_intro(
				frappe.utils.escape_html(state.intro),
				{ "Awaiting Signature": "orange", Active: "green" }[frm.doc.status] || "blue",
			);
			if (frm.doc.status === "Superseded") frm.disable_form();
			show_readers(frm, state.people);
			add_buttons(frm, state);
		},
	});

	const add_buttons = (frm, state) => {
		if (frm.doc.status === "Draft" && frm.has_perm("write")) {
			frm.add_custom_button(__("Send for Signature"), () => call(frm, "send_for_signature"));
			frm.change_custom_button_type(__("Send for Signature"), null, "primary");
		}
		for (const side of state.may_sign) {
			const label = { Marketing: __("Sign for Marketing"), Sales: __("Sign for Sales") }[side];
			frm.add_custom_button(label, () => sign(frm, side));
			frm.change_custom_button_type(label, null, "primary");
		}
		if (state.may_read) {
			frm.add_custom_button(__("I Have Read It"), () => call(frm, "confirm_read"));
		}
		if (frm.has_perm("write") && frappe.model.can_create(frm.doctype)) {
			frm.add_custom_button(__("New Version"), async () => {
				const { message } = await frm.call("make_new_version");
				frappe.set_route("Form", frm.doctype, message.name);
			});
		}
	};

	const sign = (frm, side) => {
		const title = frappe.utils.escape_html(frm.doc.title).bold();
		const text = {
			Marketing: __("Sign {0} for marketing, with your name and the present time?", [title]),
			Sales: __("Sign {0} for sales, with your name and the present time?", [title]),
		}[side];
		frappe.confirm(text, () => call(frm, "sign", { side }));
	};

	// what is signed or read is what is saved
	const call = async (frm, method, args) => {
		if (frm.is_dirty()) {
			if (method !== "send_for_signature") {
				frappe.msgprint(__("Save or discard your changes first."));
				return;
			}
			await frm.save();
		}
		await frm.call({ method, doc: frm.doc, args, freeze: true });
		await frm.reload_doc();
	};

	const show_readers = (frm, people) => {
		const sides = { Marketing: __("Marketing"), Sales: __("Sales") };
		const rows = people.map((person) => {
			const when = person.read_on ? frappe.datetime.str_to_user(person.read_on) : __("signed");
			const pill = person.has_read
				? `<span class="indicator-pill green">${__("read")}</span> <span class="text-muted">${when}</span>`
				: `<span class="indicator-pill orange">${__("not read yet")}</span>`;
			return `<tr><td>${frappe.utils.escape_html(person.full_name)}</td><td>${
				sides[person.side]
			}</td><td>${pill}</td></tr>`;
		});
		frm
			.get_field("who_has_read")
			.$wrapper.html(
				rows.length
					? `<table class="table table-sm"><tbody>${rows.join("")}</tbody></table>`
					: `<p class="text-muted">${__(
							"Nobody has one of the two roles yet. Lead Quality Settings names them; give them to your people.",
						)}</p>`,
			);
	};
}
