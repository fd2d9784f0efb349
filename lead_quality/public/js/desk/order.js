// The order of a list: Frappe's own selector, which also knows what comes first among equals.

import { asks_for } from "../engine/route.js";

class OrderSelector extends frappe.ui.SortSelector {
	set_value(sort_by, sort_order) {
		const is_new = sort_by !== this.sort_by;
		super.set_value(sort_by, (is_new && this.first?.[sort_by]) || sort_order);
	}

	get_sql_string() {
		const own = this.ties?.[this.sort_by];
		if (!own) return super.get_sql_string();
		return [[this.sort_by, this.sort_order], ...own]
			.map(([field, order]) => `\`tab${this.doctype}\`.\`${field}\` ${order}`)
			.join(", ");
	}
}

// Gives a list the selector. `first`: a field to the order that choosing it begins with; `ties`: a field to what
// decides among equals, as pairs of field and order; `chosen` is called before the list is read in another order.
export function order_by(list, { first, ties, chosen }) {
	const before = list.sort_selector;
	if (!before) return;
	list.sort_selector = new OrderSelector({
		parent: before.wrapper.parent(),
		doctype: list.doctype,
		args: { sort_by: before.sort_by, sort_order: before.sort_order },
		first,
		ties,
		onchange: async (sort_by, sort_order) => {
			await chosen?.(sort_by, sort_order);
			list.on_sort_change(sort_by, sort_order);
		},
	});
}

// A link to what waits, such as a shortcut or a card, opens a queue: the first due first. Who then sorts it in another way
// keeps that until the next link.
export function arrive_at_queue(list, status, due) {
	const arrive = () => {
		if (asks_for(frappe.route_options, "status", status)) list.sort_selector?.set_value(due, "asc");
	};
	arrive();
	$(list.parent).on("show", arrive);
}

// Who reads a list in an order that goes by priority wants to see it. The formatter of a row's title, which Frappe shows as
// text: columns are few on a small screen.
export function name_with_priority(name, df, row) {
	const title = name || row.name;
	const order = cur_list?.doctype === df.parent ? cur_list.sort_selector?.get_sql_string() : "";
	return order?.includes("lead_priority") ? `${cint(row.lead_priority)} · ${title}` : title;
}
