// The form of a Working Calendar: its zone, its coming days, and the next weekday for a new row.

import { html } from "../engine/markup.js";
import { next_free_day } from "../engine/weekdays.js";

export const working_calendar_form = {
	onload(frm) {
		frm.set_df_property(
			"time_zone",
			"options",
			frappe.all_timezones || Intl.supportedValuesOf("timeZone"),
		);
		if (frm.is_new() && !frm.doc.time_zone) {
			frm.set_value("time_zone", frappe.boot.time_zone?.system);
		}
	},
	refresh(frm) {
		const days = frm.doc.__onload?.preview || [];
		frm.toggle_display("preview_section", days.length > 0);
		const rows = days.map(
			({ day, hours, is_open }) =>
				html`<tr class="${!is_open && "text-muted"}"><td class="pr-4">${day}</td><td>${hours}</td></tr>`,
		);
		frm.fields_dict.preview.html(String(html`<table class="lq-calendar-preview">${rows}</table>`));
	},
};

export const working_calendar_hours_row = {
	hours_add(frm, doctype, name) {
		// the next weekday that has no hours yet, with the hours of the row before
		const rows = frm.doc.hours.filter((row) => row.name !== name && row.weekday);
		const last = rows.at(-1);
		if (!last) return;
		const weekdays = frappe.meta.get_docfield(doctype, "weekday", frm.doc.name).options.split("\n");
		const free = next_free_day(
			weekdays,
			last.weekday,
			rows.map((row) => row.weekday),
		);
		if (free) {
			frappe.model.set_value(doctype, name, { weekday: free, opens: last.opens, closes: last.closes });
		}
	},
};
