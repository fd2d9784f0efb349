"""Document events on other apps' documents: an error in a listener never fails the document it listens to.

Every function that `hooks.py` names under `doc_events` is a listener. Its error is rolled back to a savepoint and kept
in the Error Log with the document's name; the reconciling jobs of the rooms find what it has left undone.
"""

from collections.abc import Callable
from functools import partial, wraps

import frappe

NO_SUCH_SAVEPOINT = 1305  # MariaDB's ER_SP_DOES_NOT_EXIST
DEPTH = "lead_quality_listeners"  # of frappe.local: how many are at work, as one may wake another


class Refusal(frappe.ValidationError):
	"""A document is refused on purpose, and whoever saves it is told what to do. The only error that a listener lets
	through, besides those after which the database has nothing left of the transaction."""


def listener(listen: Callable | None = None, *, concerns: Callable | None = None) -> Callable:
	"""Make a document event of a function; see the module.

	A savepoint is one statement. It is not released: the next listener sets its own of the same name in its place.

	:param concerns: called as `concerns(doc)`, without a savepoint; where it says no, there is nothing to listen to. It
	    only looks at the document.
	:raises Refusal: as the function does.
	:raises frappe.QueryDeadlockError: nothing is left of the transaction then; so with frappe.QueryTimeoutError, after
	    which only part of a statement's work may be left.
	"""
	if listen is None:
		return partial(listener, concerns=concerns)

	@wraps(listen)
	def hear(doc, method: str | None = None, *args, **kwargs):
		depth = getattr(frappe.local, DEPTH, 0)
		savepoint = None
		told = len(frappe.local.message_log)
		setattr(frappe.local, DEPTH, depth + 1)
		try:
			if concerns and not concerns(doc):
				return
			savepoint = f"lead_quality_{depth}"
			frappe.db.savepoint(savepoint)
			_call(listen, doc, method, *args, **kwargs)
		except (Refusal, frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			raise
		except Exception:
			error = frappe.get_traceback(with_context=False)
			if savepoint:
				_undo(savepoint)
			del frappe.local.message_log[told:]  # whoever saves the document can do nothing about it
			log_failure(listen, doc, error)
		finally:
			setattr(frappe.local, DEPTH, depth)

	return hear


def _undo(savepoint: str):
	"""Take back what was done since a savepoint. It is gone where somebody has committed meanwhile."""
	try:
		frappe.db.rollback(save_point=savepoint)
	except frappe.db.OperationalError as error:
		if error.args[0] != NO_SUCH_SAVEPOINT:
			raise


def log_failure(listen: Callable, doc, error: str):
	"""Keep what went wrong in a listener where an administrator looks for it."""
	frappe.log_error(
		title=f"Lead Quality: {listen.__name__} failed on {doc.doctype} {doc.name or ''}"[:140],
		message=error,
		reference_doctype=doc.doctype,
		reference_name=doc.name,
	)


def _call(listen: Callable, doc, method: str | None, *args, **kwargs):
	listen(doc, method, *args, **kwargs)
