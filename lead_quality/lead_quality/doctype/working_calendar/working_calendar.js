frappe.ui.form.on("Working Calendar", {
	onload(frm) {
		frm.set_df_property("time_zone", "options", frappe.all_timezones || Intl.supportedValuesOf("timeZone"));
		if (frm.is_new() && !frm.doc.time_zone) {
			frm.set_value("time_zone", frappe.boot.time_zone?.system);
		}
	},

	refresh(frm) {
		const days = frm.doc.__onload?.preview || [];
		frm.toggle_display("preview_section", days.length > 0);
		const rows = days.map(
			(row) =>
				`<tr class="${row.is_open ? "" : "text-muted"}">
					<td class="pr-4">${frappe.utils.escape_html(row.day)}</td>
					<td>${frappe.utils.escape_html(row.hours)}</td>
				</tr>`
		);
		frm.fields_dict.preview.html(`<table class="lq-calendar-preview">${rows.join("")}</table>`);
	},
});

frappe.ui.form.on("Working Calendar Hours", {
	hours_add(frm, doctype, name) {
		// the next weekday that has no hours yet, with the hours of the row before
		const rows = frm.doc.hours.filter((row) => row.name !== name && row.weekday);
		const last = rows[rows.length - 1];
		if (!last) {
			return;
		}
		const weekdays = frappe.meta.get_docfield(doctype, "weekday", frm.doc.name).options.split("\n");
		const taken = new Set(rows.map((row) => row.weekday));
		const start = weekdays.indexOf(last.weekday);
		const free = weekdays.map((_day, number) => weekdays[(start + number) % 7]).find((day) => !taken.has(day));
		if (free) {
			frappe.model.set_value(doctype, name, { weekday: free, opens: last.opens, closes: last.closes });
		}
	},
});
