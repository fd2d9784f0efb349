// The colour of each state, one for the whole desk.

export const VERDICT = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };
export const HANDOVER = {
	Draft: "gray",
	Sent: "orange",
	Accepted: "green",
	Rejected: "red",
	Returned: "red",
	"Pulled Back": "gray",
};
export const TOUCH = { Planned: "blue", Done: "green", Skipped: "gray", Missed: "red", Cancelled: "gray" };
export const DEADLINE = { Running: "green", Warning: "orange", Overdue: "red", Paused: "gray" };
export const CLOCK = { ...DEADLINE, Running: "blue", Met: "green", Missed: "red", Cancelled: "gray" };
export const ALERT = { Warning: "orange", Missed: "red", Escalation: "purple", Unattended: "yellow" };
export const RUN = { Queued: "gray", Running: "blue", Completed: "green", Failed: "red" };
export const VERSION = { Draft: "orange", Active: "green", Superseded: "gray" };
export const AGREEMENT = {
	Draft: "gray",
	"Awaiting Signature": "orange",
	Active: "green",
	Superseded: "gray",
};
export const RISK = {
	"No Owner": "red",
	"No Next Step": "orange",
	Stale: "yellow",
	"Shelf Life": "purple",
	"Clock Overdue": "red",
};
