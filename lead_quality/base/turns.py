"""Concurrent requests: what the database aborts because somebody else works on the same rows is tried again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import frappe
from frappe import _

Result = TypeVar("Result")

ATTEMPTS = 5
LONGEST_PAUSE = 0.2  # seconds


class ChangedMeanwhileError(frappe.ValidationError):
	"""What was read before a lock was taken has changed. Whoever began the transaction begins it again."""

	http_status_code = 409


class BusyError(frappe.ValidationError):
	"""Somebody else was working on the same document each time."""


def is_request_for(function: Callable) -> bool:
	"""Whether the present web request asks for this whitelisted function, and nothing has been written yet: then its
	transaction may begin again, as there is nobody around it whose work would be lost."""
	request = getattr(frappe.local, "request", None)
	if not request or frappe.db.transaction_writes:
		return False
	path = f"{function.__module__}.{function.__qualname__}"
	return path in {(frappe.local.form_dict or {}).get("cmd"), request.path.rstrip("/").rpartition("/")[2]}


def begin_again(act: Callable[[], Result], attempts: int = ATTEMPTS) -> Result:
	"""Call `act` in a transaction that has read nothing yet, and again in a new one if the database aborts it.

	Only for who has begun the transaction (`is_request_for`): all of it is rolled back each time.

	:raises BusyError: if it was aborted each time, or had to wait too long for a lock.
	"""
	told = len(frappe.local.message_log)
	for attempt in range(1, attempts + 1):
		frappe.db.rollback()  # what is read from now on is what the others have committed
		try:
			return act()
		except Exception as error:
			has_waited = isinstance(error, frappe.QueryTimeoutError)
			if not (has_waited or was_rolled_back(error) or isinstance(error, ChangedMeanwhileError)):
				raise
			del frappe.local.message_log[told:]
			if has_waited:
				break
		time.sleep(random.random() * LONGEST_PAUSE * attempt / attempts)
	frappe.db.rollback()
	frappe.throw(
		_("Somebody else is working on the same document at this moment. Try again."),
		BusyError,
		title=_("Busy"),
	)
	raise AssertionError  # for those who do not know that `throw` raises


def was_rolled_back(error: Exception) -> bool:
	"""Whether the database has rolled back everything since the last commit with this error, savepoints included.

	Frappe wraps the error of the database.
	"""
	if isinstance(error, frappe.QueryDeadlockError):
		return True
	causes = (cause for cause in (error, error.__cause__) if isinstance(cause, Exception))
	# Frappe looks at the first argument, and what it refuses by itself has none
	return any(cause.args and frappe.db.is_deadlocked(cause) for cause in causes)
