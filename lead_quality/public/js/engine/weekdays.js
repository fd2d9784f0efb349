// Weekdays of a working calendar.

// The next day after `last` that is not taken; nothing where all are.
export function next_free_day(weekdays, last, taken) {
	const start = weekdays.indexOf(last);
	return weekdays
		.map((_day, number) => weekdays[(start + number) % weekdays.length])
		.find((day) => !taken.includes(day));
}
