// The order of a list: Frappe's own selector, which also knows what comes first among equals.

class OrderSelector extends frappe.ui.SortSelector {
	set_value(sort_by, sort_order) {
		const is_new = sort_by !== this.sort_by;
		super.set_value(sort_by, (is_new && this.first?.[sort_by]) || sort_order);
	}

	get_sql_string() {
		const own = this.ties?.[this.sort_by];
		return own
			? `\`tab${this.doctype}\`.\`${this.sort_by}\` ${this.sort_order}, ${own}`
			: super.get_sql_string();
	}
}

// Gives a list the selector. `first`: a field to the order that choosing it begins with; `ties`: a field to what
// decides among equals; `chosen` is called before the list is read in another order.
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
