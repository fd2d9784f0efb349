// What a link to a list asks for: Frappe's route options, by field a value, or operators with values.

function conditions(wanted) {
	if (typeof wanted === "string" && wanted.startsWith("[")) return conditions(JSON.parse(wanted));
	if (!Array.isArray(wanted)) return [["=", wanted]];
	return Array.isArray(wanted[0]) ? wanted : [wanted];
}

export const asks_for = (options, fieldname, value) =>
	Boolean(options) &&
	fieldname in options &&
	conditions(options[fieldname]).some(([operator, wanted]) => operator === "=" && wanted === value);

export const says_nothing_of = (options, fieldname) => Boolean(options) && !(fieldname in options);
