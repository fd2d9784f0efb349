"""What one save of a Lead causes: collected before the lead is written, and written after it."""

from datetime import datetime

from lead_quality.base.rows import insert_made, insert_rows, make_rows
from lead_quality.funnel import journey, summary


class LeadWriter:
	"""Writes rows that belong to a lead, and its summary, at once."""

	def insert_rows(self, doctype: str, rows: list[dict], at: datetime) -> list:
		"""See `base.rows.insert_rows`."""
		return insert_rows(doctype, rows, at)

	def summarise(self, lead, **values):
		"""See `funnel.summary.write`."""
		summary.write(lead, **values)


AT_ONCE = LeadWriter()


class LeadSave(LeadWriter):
	"""One save of a Lead document.

	A new lead is inserted with its summary, and its rows follow it, as the insert may still fail: until then both wait
	here (`waits`). `judged` is the judgement of this save, or None; `remarks` are lines for the lead's timeline;
	`has_entered` tells whether a new lead has been taken in.
	"""

	def __init__(self, lead):
		self.lead = lead
		self.judged = None
		self.remarks: list[str] = []
		self.has_entered = False
		self.waits = lead.is_new()
		self._rows: list[tuple[str, list[dict]]] = []

	def begin(self):
		"""The document is saved; what a save of it has left that failed is forgotten."""
		self.judged, self.remarks = None, []
		if self.waits:
			self.has_entered, self._rows = False, []

	def remark(self, text: str):
		"""Add a line to the timeline of a lead that is there, once the save has not failed."""
		self.remarks.append(text)

	def insert_rows(self, doctype: str, rows: list[dict], at: datetime) -> list:
		if not self.waits:
			return super().insert_rows(doctype, rows, at)
		made = make_rows(doctype, rows, at)
		self._rows.append((doctype, made))
		return made

	def summarise(self, lead, **values):
		if self.waits:
			lead.update(values)
		else:
			super().summarise(lead, **values)

	def write(self):
		"""The lead has been inserted: its rows follow it. A second call writes nothing."""
		waiting, self._rows, self.waits = self._rows, [], False
		for doctype, made in waiting:
			for row in made:
				row["lead"] = self.lead.name  # by another name, if the first one was taken
			insert_made(doctype, made)
		if waiting:
			journey.begin(self.lead, is_judged=bool(self.judged))

	def write_remarks(self):
		remarks, self.remarks = self.remarks, []
		for text in remarks:
			self.lead.add_comment("Info", text)
