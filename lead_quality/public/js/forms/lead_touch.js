// The list of touches.

import { arrive_at_queue, name_with_priority, order_by } from "../desk/order.js";
import { TOUCH } from "../engine/colours.js";

export const lead_touch_list = {
	add_fields: ["status", "due_at", "lead_priority"],
	formatters: { lead_name: name_with_priority },
	get_indicator({ status, due_at }) {
		if (status === "Planned" && moment(due_at).isBefore(frappe.datetime.system_datetime())) {
			return [__("Overdue"), "red", "status,=,Planned"];
		}
		return [__(status), TOUCH[status], `status,=,${status}`];
	},

	onload(list) {
		// what was due on an earlier day stands first; of one day, the likeliest lead; of the same priority, the one
		// due first
		order_by(list, {
			first: { lead_priority: "desc", due_on: "asc" },
			ties: {
				due_on: [
					["lead_priority", "desc"],
					["due_at", "asc"],
				],
				due_at: [["lead_priority", "desc"]],
				lead_priority: [["due_at", "asc"]],
			},
		});
		arrive_at_queue(list, "Planned", "due_on");
	},
};
