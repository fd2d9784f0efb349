// Dialogs that lose nothing, and what a refusal by the server means to the code that asked.

// Text without its tags and entities: what the server has written as HTML, where only text is wanted.
export const plain = (text) =>
	new DOMParser().parseFromString(String(text ?? ""), "text/html").body.textContent;

// Frappe has told the user why the server refused; only an error of the program's own is to be heard of.
export function refused(reason) {
	if (reason instanceof Error) throw reason;
}

// A dialog that stays open, with what was typed, until `submit` has done its work: a refusal may be mended there. Then
// comes `done`, with what `submit` has returned.
export function ask({ title, fields, label, submit: work, done }) {
	const dialog = new frappe.ui.Dialog({
		title,
		fields,
		primary_action_label: label,
		primary_action: (values) => submit(dialog, () => work(values), done),
	});
	dialog.show();
	return dialog;
}

const at_work = new WeakSet();

// A second click while the first is at work does nothing: it would log a touch twice.
export async function submit(dialog, work, done) {
	if (at_work.has(dialog)) return;
	at_work.add(dialog);
	try {
		const result = await work();
		dialog.hide();
		await done?.(result);
	} catch (reason) {
		refused(reason);
	} finally {
		at_work.delete(dialog);
	}
}

// Markup as an element.
export const element = (markup) => $(String(markup));

// The box takes its time to go, and Frappe's Yes counts as often as it is clicked.
export function confirm(markup, yes) {
	let is_answered = false;
	return frappe.confirm(String(markup), () => {
		if (is_answered) return;
		is_answered = true;
		Promise.resolve(yes()).catch(refused);
	});
}
