"""One lock order for all that belongs to a lead: first the lead, then its own. Concurrent transactions take turns at
the lead."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.utils import comma_and

from lead_quality.base import query
from lead_quality.base.documents import OwnDocument
from lead_quality.base.turns import ChangedMeanwhileError

# what other rooms and ERPNext write when they change what decides
SEEN = "name, modified, status, lead_owner, unsubscribed, lq_stage, lq_verdict, lq_next_touch_at, lq_due_at, lq_handover_status"


def lock(*leads: str | None):
	"""Lock these leads until the transaction ends, after waiting for whoever holds them.

	For who then reads what decides with locks of its own. Leads that are gone or not named are passed by.
	"""
	_lock(leads)


def is_behind(*leads: str | None) -> bool:
	"""As `lock`; and whether this transaction has read before, and would go on reading without locks, what somebody
	else has changed since."""
	locked = _lock(leads)
	return bool(locked) and locked != query.run(
		f"select {SEEN} from `tabLead` where name in %s order by name", (_names(leads),)
	)


def take_turn(*leads: str | None):
	"""As `lock`, for who then reads what decides without locks.

	:raises ChangedMeanwhileError: if it `is_behind`. Who has begun the transaction begins it again; see `base.turns`.
	"""
	if is_behind(*leads):
		frappe.throw(
			_("Somebody else has just changed {0}. Try again.").format(comma_and(_names(leads))),
			ChangedMeanwhileError,
			title=_("Changed Meanwhile"),
		)


def _lock(leads: Iterable[str | None]) -> list:
	names = _names(leads)
	if not names:
		return []
	return query.run(f"select {SEEN} from `tabLead` where name in %s order by name for update", (names,))


def _names(leads: Iterable[str | None]) -> list[str]:
	return sorted({lead for lead in leads if lead})


# requests by which Frappe deletes documents, each in a transaction of its own; those with the method DELETE do so, too
DELETIONS = {"frappe.client.delete", "frappe.desk.reportview.delete_items"}


class LeadFirst(OwnDocument):
	"""A document with a `lead`, which is locked before its own row is."""

	lead: str

	def take_turn_to_delete(self):
		"""To begin `on_trash` with: lock the lead, then this document's row, and read it again. Frappe has locked the row
		before, and may have read what has changed since; so a request for the deletion begins its transaction again."""
		if _is_deletion():
			frappe.db.rollback()
		lock(self.lead)
		self.flags.for_update = True
		self.load_from_db()
		self.flags.for_update = False

	def check_if_latest(self):
		lock(self.lead)
		super().check_if_latest()


def _is_deletion() -> bool:
	"""Whether the current web request deletes a document, and nothing was written yet but that it has no passwords."""
	request = getattr(frappe.local, "request", None)
	if not request or frappe.db.transaction_writes > 1:
		return False
	return request.method == "DELETE" or (frappe.local.form_dict or {}).get("cmd") in DELETIONS
