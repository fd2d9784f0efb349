// The window to write an e-mail in, for whoever may write one.

// Frappe looks for a signature among the accounts, and stops who may not read them.
export function write_email(options) {
	class Composer extends frappe.views.CommunicationComposer {
		async get_signature(sender) {
			const may_ask = frappe.boot.user.email_signature || frappe.model.can_read("Email Account");
			return may_ask ? super.get_signature(sender) : "";
		}
	}
	return new Composer(options);
}
