// What was typed into a qualification sheet and is not saved yet: one edit a line (a criterion and perhaps a contact),
// by the line's key. What is not in an edit stays as it was saved, also if somebody else saves it meanwhile.

const TRUE_WORDS = ["1", "true", "yes", "on"];
const DECISION = ["decision", "outcome_reason", "nurture_until"];

export const is_yes = (value) => TRUE_WORDS.includes(String(value).toLowerCase());

export const key_of = (criterion, contact) => `${criterion}|${contact}`;

export const value_of = (edit, saved, fieldname) =>
	edit && fieldname in edit ? edit[fieldname] : saved[fieldname];

// `seen` says which answer the user had before their eyes: the server tells who replaces another.
export const with_values = (edit, { criterion, contact, saved }, values) => ({
	...(edit || { criterion: criterion.criterion, contact: contact || null, seen: saved.answered_on || "" }),
	...values,
});

// The choices of a criterion; the lead may say something that the checklist does not offer.
export function choices_of({ answer_type, options }, known) {
	if (answer_type === "Check") return ["Yes", "No"];
	const choices = (options || "")
		.split("\n")
		.map((choice) => choice.trim())
		.filter(Boolean);
	return !known || choices.includes(known) ? choices : [...choices, known];
}

// Whom a criterion is asked about: nobody in particular, or each contact, who has answered and is gone too, and nobody
// in particular.
export function contacts_of({ per_contact, answers }, contacts) {
	const general = { name: "" };
	if (!per_contact) return [general];
	const known = contacts.map(({ name }) => name);
	const gone = answers
		.filter(({ contact }) => contact && !known.includes(contact))
		.map(({ contact, contact_name }) => ({ name: contact, full_name: contact_name }));
	return [...contacts, ...gone, general];
}

export const changed_fields = (doc, loaded, fieldnames) =>
	fieldnames.filter((fieldname) => (doc[fieldname] || "") !== (loaded[fieldname] || ""));

// What `lead_quality.api.qualify` is called with: only what was changed; a decision is told whole.
export function arguments_of(doc, edits, changed) {
	const args = { lead: doc.lead, answers: JSON.stringify(Object.values(edits)) };
	if (changed.includes("horizon")) args.horizon = doc.horizon;
	if (changed.some((fieldname) => DECISION.includes(fieldname))) {
		for (const fieldname of DECISION) args[fieldname] = doc[fieldname] || "";
	}
	return args;
}

export const goes_through_api = (fieldname) => fieldname === "horizon" || DECISION.includes(fieldname);

// Which lines the server's messages are about: a message that begins with a criterion's question belongs to its line,
// to that with the refused value where there are several. `lines`: key, question and edit. Returns key to words.
export function refusals(texts, lines) {
	const found = {};
	for (const text of texts) {
		const asked = lines.filter(({ question, edit }) => edit && text.startsWith(`${question}:`));
		const named = asked.filter(({ edit }) => edit.value && text.includes(edit.value));
		// "5" is in "50x is not a Number", too
		const longest = Math.max(...named.map(({ edit }) => edit.value.length));
		for (const { key, question, edit } of asked) {
			if (edit.value && (!named.length || edit.value.length < longest || !text.includes(edit.value)))
				continue;
			found[key] ??= text.slice(question.length + 1).trim();
		}
	}
	return found;
}
