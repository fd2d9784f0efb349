"""A job over very many documents, split into parts that background workers process in parallel.

The run and its parts are Follow Up Runs. A part is a range of names and is processed in chunks, each committed. It may be
processed twice, or resumed after its worker was killed, so `do` must not change documents that are already right.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.rows import insert_rows
from lead_quality.base.runs import MAX_ERROR_LENGTH


@dataclass(frozen=True)
class PartedJob:
	"""
	`job` is the name of its runs; `method` is the dotted path of the function that calls `do_part`; `do` is called as
	`do(names, now, **options)` within one transaction, and returns how many documents it has changed. `condition` is SQL
	that selects rows of the DocType's table. A part has `part` documents; `chunk` documents are locked and committed
	together. `tell_progress` is called with the name of the run whenever it progresses.
	"""

	job: str
	doctype: str
	method: str
	do: Callable[..., int]
	part: int
	chunk: int
	condition: str = "1 = 1"
	tell_progress: Callable[[str], None] = lambda run: None

	def start(self, **options) -> str:
		"""Create a run, and enqueue its parts after the commit. Returns the name of its Follow Up Run."""
		now = now_datetime()
		ranges = self.ranges()
		common = {"job": self.job, "started_at": now, "options": json.dumps(options)}
		total = sum(size for _first, _last, size in ranges)
		run = insert_rows("Follow Up Run", [{**common, "status": "Running", "total": total}], now)[0].name
		insert_rows(
			"Follow Up Run",
			[
				{
					**common,
					"status": "Queued",
					"part_of": run,
					"from_lead": first,
					"to_lead": last,
					"total": size,
				}
				for first, last, size in ranges
			],
			now,
		)
		self.enqueue_parts(run)
		if not ranges:
			self.finish_if_done(run)
		return run

	def ranges(self) -> list[tuple[str, str, int]]:
		"""First name, last name and size of every part, in the order of the names."""
		return query.run(
			f"""
			select min(name), max(name), count(*) from (
				select name, floor((row_number() over (order by name) - 1) / %s) as part
				from `tab{self.doctype}` where {self.condition}
			) numbered group by part order by part
			""",
			(self.part,),
		)

	def open_run(self, lock: bool = False) -> str | None:
		"""The open run, or None.

		:param lock: also find a run that was started since this transaction began.
		"""
		return frappe.db.get_value(
			"Follow Up Run",
			{"job": self.job, "status": "Running", "part_of": ["is", "not set"]},
			order_by="creation desc",
			for_update=lock,
		)

	def enqueue_parts(self, run: str):
		"""Enqueue the open parts of a run, except parts that are queued or being processed already."""
		for part in open_parts(run):
			frappe.enqueue(
				self.method,
				queue="long",
				job_id=f"lead_quality_{self.job}:{part}",
				deduplicate=True,
				enqueue_after_commit=True,
				part=part,
			)

	def resume(self) -> dict:
		"""Resume what a killed worker or an emptied Redis has left undone.

		:returns: counts of parts that were `found` open, enqueued again (`done`), and `failed` (none).
		"""
		run = self.open_run()
		parts = open_parts(run) if run else []
		if run and not parts:
			self.finish_if_done(run)
		elif run:
			self.enqueue_parts(run)
			frappe.db.commit()  # nosemgrep (workers find the parts)
		return {"found": len(parts), "done": len(parts), "failed": 0}

	def do_part(self, part: str):
		"""Process one part of a run in chunks, and commit each."""
		doc = frappe.get_doc("Follow Up Run", part)
		if doc.status == "Completed":
			return
		options = json.loads(doc.options or "{}")
		frappe.db.set_value("Follow Up Run", part, {"status": "Running", "found": 0, "done": 0, "failed": 0})
		frappe.db.commit()  # nosemgrep (who looks sees a part that is at work)
		last, counts = "", Counter[str]()
		errors: list[str] = []
		while names := self._chunk_after(last, doc.from_lead, doc.to_lead):
			last = names[-1]
			frappe.db.commit()  # nosemgrep (what decides is read by a transaction that begins with its locks)
			counts["found"] += len(names)
			try:
				counts["done"] += self._retried(names, options)
			except Exception:
				frappe.db.rollback()
				for name in names:
					counts["done"] += self._do_alone(name, errors, options)
			frappe.db.set_value(
				"Follow Up Run",
				part,
				{**counts, "failed": len(errors), "errors": "\n".join(errors)[:MAX_ERROR_LENGTH]},
			)
			frappe.db.commit()  # nosemgrep (who looks sees how far a part is)
			self.tell_progress(doc.part_of)
		frappe.db.set_value("Follow Up Run", part, {"status": "Completed", "finished_at": now_datetime()})
		frappe.db.commit()  # nosemgrep (the end of a job)
		self.finish_if_done(doc.part_of)

	def _chunk_after(self, last: str, first: str, end: str) -> list[str]:
		return query.run(
			f"""
			select name from `tab{self.doctype}`
			where name > %s and name >= %s and name <= %s and {self.condition} order by name limit %s
			""",
			(last, first, end, self.chunk),
			pluck=True,
		)

	def _retried(self, names: list[str], options: dict) -> int:
		"""Retry after a deadlock or a lock wait."""
		for attempts_left in (2, 1, 0):
			try:
				changed = self.do(names, now_datetime(), **options)
				frappe.db.commit()  # nosemgrep (a job keeps what it has done, a chunk at a time)
				return changed
			except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
				frappe.db.rollback()
				if not attempts_left:
					raise
		return 0

	def _do_alone(self, name: str, errors: list[str], options: dict) -> int:
		"""Process one document of a failed chunk, so that a document that fails does not stop the rest."""
		try:
			return self._retried([name], options)
		except Exception:
			frappe.db.rollback()
			errors.append(f"{name}\n{frappe.get_traceback()}")
			return 0

	def finish_if_done(self, run: str):
		"""Close a run if all its parts are done. Every part calls this at its end; the last one closes the run."""
		frappe.db.get_value("Follow Up Run", run, "status", for_update=True)
		if not open_parts(run):
			counts = progress(run)
			frappe.db.set_value(
				"Follow Up Run",
				run,
				{
					"status": "Failed" if counts["failed"] else "Completed",
					"finished_at": now_datetime(),
					"found": counts["done"],
					"done": counts["changed"],
					"failed": counts["failed"],
				},
			)
		frappe.db.commit()  # nosemgrep (the end of a job)
		self.tell_progress(run)


@contextmanager
def reading_committed() -> Iterator[None]:
	"""The transactions that begin within read what is committed when they read it, and lock only what they change: a
	statement that writes what it selects leaves the documents alone that it reads.

	On a database that keeps a log of statements, which MariaDB does not do by itself, all stays as it is.
	"""
	said = dict(
		query.run(
			"""
			show session variables
			where variable_name in ('log_bin', 'binlog_format', 'tx_isolation', 'transaction_isolation')
			"""
		)
	)
	if said["log_bin"] == "ON" and said["binlog_format"] == "STATEMENT":
		yield
		return
	level = said.get("transaction_isolation") or said["tx_isolation"]
	query.run("set session transaction isolation level read committed")
	try:
		yield
	finally:
		query.run(f"set session transaction isolation level {level.replace('-', ' ')}")


def open_parts(run: str) -> list[str]:
	"""The parts of a run that are not done yet."""
	return frappe.get_all(
		"Follow Up Run",
		{"part_of": run, "status": ["in", ["Queued", "Running"]]},
		pluck="name",
		order_by="from_lead asc",
	)


def progress(run: str) -> dict:
	"""Progress of a run: `total`, `done`, `changed` and `failed` documents, and its `status`."""
	total, status = frappe.db.get_value("Follow Up Run", run, ["total", "status"])
	counts = query.run(
		"""
		select ifnull(sum(found), 0), ifnull(sum(done), 0), ifnull(sum(failed), 0)
		from `tabFollow Up Run` where part_of = %s
		""",
		(run,),
	)[0]
	done, changed, failed = (int(count) for count in counts)
	return {
		"run": run,
		"total": total,
		"done": done,
		"changed": changed,
		"failed": failed,
		"status": status,
	}
