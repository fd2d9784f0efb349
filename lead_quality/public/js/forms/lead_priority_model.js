// The table of a model, line by line, and what was expected of each tenth of the newer leads beside what came.

import { html } from "../engine/markup.js";

export const lead_priority_model_list = {
	hide_name_column: true,
	formatters: {
		// a Select without a value would be an empty pill
		why: (why) => String(html`<span>${why && __(why)}</span>`),
		// a bar does not say how much
		first_fifth: (share) =>
			String(html`<span>${share > 0 && `${format_number(share, null, 1)} %`}</span>`),
	},
};

export const lead_priority_model_form = {
	refresh(frm) {
		const { table = [], deciles = [] } = frm.doc.__onload || {};
		const wrapper = frm.get_field("table_html").$wrapper.empty();
		if (!table.length) return;
		if (deciles.length) draw(wrapper, deciles);
		wrapper.append(String(table_html(table)));
	},
};

function draw(wrapper, deciles) {
	$("<div data-calibration>").appendTo(wrapper);
	new frappe.Chart(wrapper.find("[data-calibration]")[0], {
		title: __("Sales by tenth of the newer leads, the likeliest first"),
		type: "bar",
		height: 220,
		colors: ["#8c959f", "#1a7f37"],
		data: {
			labels: deciles.map((_tenth, index) => String(index + 1)),
			datasets: [
				{ name: __("Expected"), values: deciles.map(({ expected }) => expected) },
				{ name: __("Came"), values: deciles.map(({ won }) => won) },
			],
		},
	});
}

const count = (value) => format_number(value, null, 0);

const table_html = (table) => html`<p class="text-muted small">
		${__("A case is a lead as it was at its entry, and, if it was still to be won then, once more after 7 or 30 days: so there are more cases than leads.")}
	</p>
	<table class="table table-sm" data-table>
	<thead>
		<tr>
			<th>${__("What is known of a lead")}</th>
			<th class="text-right">${__("Times the average")}</th>
			<th class="text-right">${__("Cases")}</th>
			<th class="text-right">${__("Sales")}</th>
		</tr>
	</thead>
	<tbody>
		${table.map(
			({ words, factor, leads, won }) => html`<tr>
				<td>${words}</td>
				<td class="text-right">${factor}</td>
				<td class="text-right">${count(leads)}</td>
				<td class="text-right">${count(won)}</td>
			</tr>`,
		)}
	</tbody>
</table>`;
