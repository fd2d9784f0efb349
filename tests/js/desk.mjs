// What the scripts find in the desk, as far as they need it to say something: its translator and its formats.

import { tool } from "./tools.mjs";

globalThis.__ = (text, values = []) => text.replace(/\{(\d+)\}/g, (whole, index) => values[index] ?? whole);
globalThis.moment = tool("moment");
globalThis.cint = (value) => parseInt(value, 10) || 0;
globalThis.format_number = (value) => String(value);
globalThis.comment_when = (at) => `<span title="${at}">1 h</span>`;
globalThis.frappe = {
	boot: {},
	datetime: {
		add_months: (day, months) => globalThis.moment(day).add(months, "months").format("YYYY-MM-DD"),
		get_today: () => "2026-11-27",
		comment_when: globalThis.comment_when,
		get_user_date_fmt: () => "dd.mm.yyyy",
		str_to_user: (day) => day,
		system_datetime: () => "2026-11-27 16:10:00",
	},
	model: { can_create: () => true, can_read: () => true, can_write: () => false },
	query_reports: {},
	utils: { get_form_link: (doctype, name) => `/app/${doctype}/${encodeURIComponent(name)}` },
};
