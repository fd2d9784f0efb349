// Reports that have another name now: their old addresses, which are in bookmarks, mails and comments, lead to them.

const MOVED = { "query-report/Lead Source Quality": "query-report/Source Effectiveness" };

// The address that a report has now, with the filters that stand in it; null for one that has not moved.
export function moved_address({ pathname, search }) {
	const [, desk, ...rest] = pathname.split("/");
	const moved = MOVED[rest.map(decodeURIComponent).join("/")];
	return moved ? `/${desk}/${encodeURI(moved)}${search}` : null;
}

export function follow_moved() {
	// what is opened from within the desk; of an address that is opened by itself Frappe would drop the filters
	Object.assign(frappe.re_route, MOVED);
	const address = moved_address(window.location);
	if (address) window.history.replaceState(null, "", address);
}
