// What the buttons of a form do with its document, however quick the user is.

const LOOK_AGAIN = 50; // milliseconds
const PATIENCE = 30_000;

// Whether this form is the one on the screen: an event or a timer may come after the user has gone elsewhere.
export const is_on_screen = (frm) => cur_frm === frm; // nosemgrep (Frappe says it nowhere else)

// Waits until the document of a form is there: while it is loaded again or saved, there is none to work with.
// Returns it; nothing if the user has moved on meanwhile.
export async function document_of(frm) {
	const { docname } = frm;
	const until = Date.now() + PATIENCE;
	while (Date.now() < until) {
		await frappe.after_ajax();
		if (frm.docname !== docname || !is_on_screen(frm)) return null;
		const doc = frappe.get_doc(frm.doctype, docname);
		if (doc && doc === frm.doc && !frappe.ui.form.is_saving) return doc;
		await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
	}
	frappe.throw(__("The form is still loading. Try again in a moment."));
}

// Whether the user may still read a document, which what he has just done may have changed.
export async function may_read(doctype, docname) {
	const { message } = await frappe.call({
		method: "frappe.client.has_permission",
		args: { doctype, docname, perm_type: "read" },
	});
	return Boolean(message.has_permission);
}

// Calls a method of the form's document, and returns what it returns.
export async function call_document(frm, method, args = {}, more = {}) {
	const doc = await document_of(frm);
	if (!doc) return null;
	const { message } = await frappe.call({ doc, method, args, freeze: true, ...more });
	return message;
}

// Whether everything that was typed is stored; what the server refuses stays on the form.
export async function save_first(frm) {
	if (!(await document_of(frm))) return false;
	if (frm.is_dirty() || frm.is_new()) await frm.save();
	return !frm.is_dirty() && !frm.is_new();
}
