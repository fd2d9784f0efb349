// What a link to a list asks for: Frappe's route options, by field a value, or operators with values.

function conditions(wanted) {
	if (typeof wanted === "string" && wanted.startsWith("[")) return conditions(JSON.parse(wanted));
	if (!Array.isArray(wanted)) return [["=", wanted]];
	return Array.isArray(wanted[0]) ? wanted : [wanted];
}

// A number card of v15 writes the DocType before the field: `Lead Handover.status`.
const asked_of = (options, fieldname) =>
	Object.keys(options || {}).filter((key) => key.split(".").pop() === fieldname);

export const asks_for = (options, fieldname, value) =>
	asked_of(options, fieldname).some((key) =>
		conditions(options[key]).some(([operator, wanted]) => operator === "=" && wanted === value),
	);

export const says_nothing_of = (options, fieldname) =>
	Boolean(options) && asked_of(options, fieldname).length === 0;

// Leads that wait for somebody: by their deadline where the link asks for one, else the likeliest first.
const WAIT = ["lead_owner", "lq_waits", "lq_verdict", "name"];

export function queue_order(options) {
	if (asked_of(options, "lq_due_at").length) return ["lq_due_at", "asc"];
	return WAIT.some((field) => asked_of(options, field).length) ? ["lq_priority", "desc"] : null;
}
