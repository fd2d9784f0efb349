// Answers may overtake each other. What `last_question()` returns passes on the answer to the question that was asked
// last, and undefined in place of every other, so that nothing old is drawn over what is new.
export function last_question() {
	let asked = 0;
	return async (answer) => {
		const mine = ++asked;
		const result = await answer;
		return mine === asked ? result : undefined;
	};
}
