// Dialogs that lose nothing, and what a refusal by the server means to the code that asked.

frappe.provide("lead_quality");

// Frappe has told the user why the server refused; only an error of the program's own is to be heard of.
lead_quality.refused = (reason) => {
	if (reason instanceof Error) throw reason;
};

// A dialog that stays open, with what was typed, until `submit` has done its work: a refusal may be mended there. Then
// comes `done`, with what `submit` has returned.
lead_quality.ask = ({ title, fields, label, submit, done }) => {
	const dialog = new frappe.ui.Dialog({
		title,
		fields,
		primary_action_label: label,
		primary_action: (values) => lead_quality.submit(dialog, () => submit(values), done),
	});
	dialog.show();
	return dialog;
};

lead_quality.submit = async (dialog, work, done) => {
	try {
		const result = await work();
		dialog.hide();
		await done?.(result);
	} catch (reason) {
		lead_quality.refused(reason);
	}
};
