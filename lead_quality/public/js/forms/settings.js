// The form of Lead Quality Settings.

import { refused, submit } from "../desk/dialogs.js";
import { show_alarm } from "../desk/health_banner.js";
import { html } from "../engine/markup.js";

export const lead_quality_settings_form = {
	refresh(frm) {
		show_alarm((words) => frm.set_intro(words, "red"));
		if (frm.has_perm("write")) frm.add_custom_button(__("Import Recipe"), choose_recipe);
	},
};

// The settings that `lead-quality audit` proposes: chosen as a file, shown, and taken in if they are wanted.
function choose_recipe() {
	const $input = $('<input type="file" accept=".json,application/json" data-recipe hidden>');
	$input.appendTo(document.body).on("change", async () => {
		const [file] = $input[0].files;
		$input.remove();
		if (file) show_recipe(await file.text()).catch(refused);
	});
	$input.trigger("click");
}

async function show_recipe(recipe) {
	const rows = await frappe.xcall("lead_quality.desk.recipe.look_at", { recipe });
	const count = rows.filter((row) => row.is_new).length;
	const dialog = new frappe.ui.Dialog({
		title: __("Settings That the Audit Proposes"),
		size: "large",
		fields: [{ fieldtype: "HTML", fieldname: "proposed", options: String(in_words(rows)) }],
		...(count && {
			primary_action_label: __("Make {0} New Records", [count]),
			primary_action: () =>
				submit(
					dialog,
					() => frappe.xcall("lead_quality.desk.recipe.take_in", { recipe }),
					() => {
						frappe.show_alert({
							message: __("{0} new records made.", [count]),
							indicator: "green",
						});
						// with links to what is there now
						return show_recipe(recipe);
					},
				),
		}),
	});
	dialog.show();
}

const in_words = (rows) => html`
	<p>
		${__(
			"What is there already stays as it is. New segments are switched off: choose their order, and enable those that you want.",
		)}
	</p>
	<table class="table table-bordered table-sm">
		<tbody>
			${rows.map(
				(row) => html`<tr>
					<td>${__(row.doctype)}</td>
					<td>${row.is_new ? row.title : link_to(row)}</td>
					<td>${row.is_new ? __("new") : __("is there")}</td>
					<td>${row.why}</td>
				</tr>`,
			)}
		</tbody>
	</table>`;

const link_to = ({ doctype, name, title }) =>
	html`<a href="${frappe.utils.get_form_link(doctype, name)}" target="_blank">${title}</a>`;
