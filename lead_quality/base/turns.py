"""Concurrent requests: a transaction that the database aborts because of a conflict is tried again."""

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
	"""Data that was read before the lock has changed. The caller that began the transaction starts it again."""

	http_status_code = 409


class BusyError(frappe.ValidationError):
	"""Every attempt conflicted with another user's work on the same document."""


def is_request_for(function: Callable) -> bool:
	"""Whether the current web request calls this whitelisted function and nothing has been written yet: its transaction
	can then be restarted without losing other work."""
	request = getattr(frappe.local, "request", None)
	if not request or frappe.db.transaction_writes:
		return False
	path = f"{function.__module__}.{function.__qualname__}"
	return path in {(frappe.local.form_dict or {}).get("cmd"), request.path.rstrip("/").rpartition("/")[2]}


def begin_again(act: Callable[[], Result], attempts: int = ATTEMPTS) -> Result:
	"""Call `act` in a new transaction, and again in another one if the database aborts it.

	Only for the owner of the transaction (`is_request_for`), because all of it is rolled back on each attempt.

	:raises BusyError: if every attempt was aborted or waited too long for a lock.
	"""
	told = len(frappe.local.message_log)
	for attempt in range(1, attempts + 1):
		frappe.db.rollback()  # reads from now on see what others have committed
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
	raise AssertionError  # for type checkers, which do not know that `throw` raises


def was_rolled_back(error: Exception) -> bool:
	"""Whether the database has rolled back the whole transaction with this error, including savepoints.

	Frappe wraps the database's error.
	"""
	if isinstance(error, frappe.QueryDeadlockError):
		return True
	causes = (cause for cause in (error, error.__cause__) if isinstance(cause, Exception))
	# Frappe reads the first argument; its own errors may have none
	return any(cause.args and frappe.db.is_deadlocked(cause) for cause in causes)
