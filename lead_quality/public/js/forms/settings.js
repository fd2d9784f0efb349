// The form of Lead Quality Settings.

import { show_alarm } from "../desk/health_banner.js";

export const lead_quality_settings_form = {
	refresh(frm) {
		show_alarm((words) => frm.set_intro(words, "red"));
	},
};
