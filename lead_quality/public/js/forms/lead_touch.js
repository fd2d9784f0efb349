// The list of touches.

import { TOUCH } from "../engine/colours.js";

export const lead_touch_list = {
	add_fields: ["status", "due_at"],
	get_indicator({ status, due_at }) {
		if (status === "Planned" && moment(due_at).isBefore(frappe.datetime.system_datetime())) {
			return [__("Overdue"), "red", "status,=,Planned"];
		}
		return [__(status), TOUCH[status], `status,=,${status}`];
	},
};
