"""Document events on other apps' documents: an error in a listener never fails the document.

Every function under `doc_events` in `hooks.py` is a listener. On an error, its work is rolled back to a savepoint and the
error is stored in the Error Log with the document's name; the reconciling jobs of the rooms do what was left undone.
"""

from collections.abc import Callable
from functools import partial, wraps

import frappe

NO_SUCH_SAVEPOINT = 1305  # MariaDB's ER_SP_DOES_NOT_EXIST
DEPTH = "lead_quality_listeners"  # in frappe.local: how many are running, because one may trigger another


class Refusal(frappe.ValidationError):
	"""A document is refused on purpose, with a message that says what to do. The only error that a listener raises, apart
	from those after which the database has rolled back the transaction."""


def listener(
	listen: Callable | None = None, *, concerns: Callable | None = None, writes: Callable | None = None
) -> Callable:
	"""Decorator that makes a function a document event; see the module.

	The savepoint costs one statement. It is not released: the next listener replaces it with its own of the same name.

	:param concerns: called as `concerns(doc)`, without a savepoint; if false, the listener does nothing. It must only
	    read the document.
	:param writes: called likewise; if false, the listener gets no savepoint, because it only reads the database, and
	    there is nothing to undo. What it writes in a rare case, it writes by `attempt`.
	:raises Refusal: if the function raises it.
	:raises frappe.QueryDeadlockError: because the transaction is gone; also frappe.QueryTimeoutError, after which only
	    part of a statement's work may be left.
	"""
	if listen is None:
		return partial(listener, concerns=concerns, writes=writes)

	@wraps(listen)
	def hear(doc, method: str | None = None, *args, **kwargs):
		attempt(listen, doc, method, *args, concerns=concerns, writes=writes, **kwargs)

	return hear


def attempt(
	listen: Callable,
	doc,
	method: str | None = None,
	*args,
	concerns: Callable | None = None,
	writes: Callable | None = None,
	**kwargs,
) -> bool:
	"""Do as a listener does; of a listener with several parts, one part. Returns whether it succeeded."""
	depth = getattr(frappe.local, DEPTH, 0)
	savepoint = None
	told = len(frappe.local.message_log)
	setattr(frappe.local, DEPTH, depth + 1)
	try:
		if concerns and not concerns(doc):
			return True
		if not writes or writes(doc):
			savepoint = f"lead_quality_{depth}"
			frappe.db.savepoint(savepoint)
		_call(listen, doc, method, *args, **kwargs)
	except (Refusal, frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		raise
	except Exception:
		error = frappe.get_traceback(with_context=False)
		if savepoint:
			_undo(savepoint)
		del frappe.local.message_log[told:]  # the user who saves the document cannot do anything about it
		log_failure(listen, doc, error)
		return False
	finally:
		setattr(frappe.local, DEPTH, depth)
	return True


def _undo(savepoint: str):
	"""Roll back to a savepoint. The savepoint is gone if the transaction was committed in between."""
	try:
		frappe.db.rollback(save_point=savepoint)
	except frappe.db.OperationalError as error:
		if error.args[0] != NO_SUCH_SAVEPOINT:
			raise


def log_failure(listen: Callable, doc, error: str):
	"""Write the error of a listener to the Error Log."""
	frappe.log_error(
		title=f"Lead Quality: {listen.__name__} failed on {doc.doctype} {doc.name or ''}"[:140],
		message=error,
		reference_doctype=doc.doctype,
		reference_name=doc.name,
	)


def _call(listen: Callable, doc, method: str | None, *args, **kwargs):
	listen(doc, method, *args, **kwargs)
