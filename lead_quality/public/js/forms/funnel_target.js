// The list of targets: what each is of, and figures instead of bars.

import { html } from "../engine/markup.js";

export const funnel_target_list = {
	hide_name_column: true,
	formatters: {
		rate: (rate) => String(html`<span>${format_number(rate, null, 1)} %</span>`),
	},
};

export const new_customer_goal_list = { hide_name_column: true };

export const marketing_spend_list = { hide_name_column: true };
