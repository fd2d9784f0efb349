frappe.ui.form.on("Working Calendar", {
	onload(frm) {
		frm.set_df_property("time_zone", "options", frappe.all_timezones || Intl.supportedValuesOf("timeZone"));
		if (frm.is_new() && !frm.doc.time_zone) {
			frm.set_value("time_zone", frappe.boot.time_zone?.system);
		}
	},
});
