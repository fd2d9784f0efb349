"""One scheduled run: each item in its own savepoint, with counts and errors in a Follow Up Run."""

from collections.abc import Callable, Iterable
from datetime import datetime

import frappe
from frappe.utils import now_datetime
from redis.exceptions import RedisError

from lead_quality.base.rows import insert_rows
from lead_quality.base.turns import ChangedMeanwhileError, was_rolled_back

MAX_ERROR_LENGTH = 10_000
COMMIT_EVERY = 100


class JobRun:
	"""Processes the items of a scheduled job and counts them.

	An item that fails is rolled back, counted and logged, and does not stop the rest. Every hundred items are committed, so
	that a killed run loses at most a hundred, which the next run does again.
	"""

	def __init__(self, job: str, now: datetime | None = None):
		""":param now: naive instant in the site's zone that the run uses as the present."""
		self.now = now or now_datetime()
		self.found = self.done = self.failed = self.uncommitted = 0
		self.errors: list[str] = []
		self.started_at = started_at = now_datetime()
		self.name = insert_rows(
			"Follow Up Run", [{"job": job, "status": "Running", "started_at": started_at}], started_at
		)[0].name
		frappe.db.commit()  # nosemgrep (other connections see that the run has started)

	def batch(self, items: list, do: Callable[..., int]) -> bool:
		"""Call `do(items, now)` once for all items and commit; `do` returns how many items needed work.

		:returns: whether it succeeded. If not, nothing is counted, and `each` must process the items one by one.
		"""
		frappe.db.savepoint("lead_quality_item")
		try:
			self.uncommitted += do(items, self.now)
		except Exception as error:
			self.errors.append(frappe.get_traceback())
			self._undo(error)
			return False
		self.found += self.uncommitted
		self._commit()
		return True

	def each(
		self,
		items: Iterable,
		do: Callable[..., int],
		commit_every: int = COMMIT_EVERY,
		on_failure: Callable | None = None,
		attempts: int = 3,
	) -> "JobRun":
		"""Call `do(item, now)` for every item; `do` returns how much work it needed (or whether it needed any).

		:param commit_every: how many items are processed before a commit.
		:param on_failure: called as `on_failure(item, now)` after a failed item was rolled back.
		:param attempts: how often an item is tried if the database aborts it because of a lock.
		"""
		for item in items:
			self.found += 1
			self._do(item, do, on_failure, attempts)
			if self.found % commit_every == 0:
				self._commit()
		self._commit()
		return self

	def _do(self, item, do: Callable[..., int], on_failure: Callable | None, attempts: int):
		frappe.db.savepoint("lead_quality_item")
		try:
			self.uncommitted += int(do(item, self.now))
		except Exception as error:
			trace = frappe.get_traceback()
			self._undo(error)
			if attempts > 1 and (was_rolled_back(error) or isinstance(error, ChangedMeanwhileError)):
				self._do(item, do, on_failure, attempts - 1)
				return
			self.failed += 1
			self.errors.append(f"{item}\n{trace}")
			if on_failure:
				on_failure(item, self.now)
		else:
			frappe.db.release_savepoint("lead_quality_item")

	def enqueue(self, method: str, **options) -> bool:
		"""`frappe.enqueue`. Returns whether it succeeded; if not, the run records it, and the next run finds the work
		again."""
		try:
			frappe.enqueue(method, **options)
		except (RedisError, frappe.QueueOverloaded):
			self.errors.append(f"{method}\n{frappe.get_traceback()}")
			return False
		return True

	def _undo(self, error: Exception):
		if was_rolled_back(error):
			frappe.db.rollback()
			self.uncommitted = 0
		else:
			frappe.db.rollback(save_point="lead_quality_item")
			if isinstance(error, ChangedMeanwhileError):
				self._commit()  # reads from now on see what others have committed

	def _commit(self):
		frappe.db.commit()  # nosemgrep (a job keeps what it has done, a part at a time)
		self.done += self.uncommitted
		self.uncommitted = 0

	def finish(self) -> dict:
		"""Keep the counts, commit, and return them."""
		frappe.db.set_value(
			"Follow Up Run",
			self.name,
			{
				"status": "Failed" if self.failed else "Completed",
				"finished_at": now_datetime(),
				"found": self.found,
				"done": self.done,
				"failed": self.failed,
				"errors": "\n".join(self.errors)[:MAX_ERROR_LENGTH],
			},
		)
		frappe.db.commit()  # nosemgrep (the end of a job)
		return {"found": self.found, "done": self.done, "failed": self.failed}
