// Numbers as the user writes them.

const IS_NUMBER = /^-?\d+(\.\d*)?$/;

export const is_number = (value) => IS_NUMBER.test(value);

// The program's number ("50000.5") for what was typed in the user's format ("50.000,50"), else what was typed.
export function read_number(typed, { decimal_str: point, group_sep: group }) {
	const literal = (sign) => (sign ? sign.replace(/[.*+?^${}()|[\]\\\s]/g, "\\$&") : "(?!)");
	let text = typed.trim();
	const grouped = new RegExp(
		`^-?\\d{1,3}(${literal(group)}\\d{2,3})*${literal(group)}\\d{3}(${literal(point)}\\d*)?$`,
	);
	if (grouped.test(text)) text = text.split(group).join("");
	if (point) text = text.replace(point, ".");
	return is_number(text) ? text : typed.trim();
}

export const decimals_of = (value) => (value.split(".")[1] || "").replace(/0+$/, "").length;
