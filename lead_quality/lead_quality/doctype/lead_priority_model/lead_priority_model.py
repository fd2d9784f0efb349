import json

import frappe
from frappe import _

from lead_quality.base.documents import OwnDocument
from lead_quality.engine.priority import Model
from lead_quality.qualification import definitions
from lead_quality.qualification.priority import table_in_words


class LeadPriorityModel(OwnDocument):
	"""What was learned of a company's past leads; see `qualification.learning`."""

	def onload(self):
		if self.model:
			self.set_onload("table", table_in_words(Model.from_dict(json.loads(self.model))))
		if self.backtest:
			self.set_onload("deciles", _expected_and_won(json.loads(self.backtest)["deciles"]))

	def validate(self):
		frappe.throw(
			_("A Lead Priority Model is written automatically and cannot be changed."), frappe.PermissionError
		)

	def on_trash(self):
		definitions.clear_caches()


def _expected_and_won(deciles: list[dict]) -> list[dict]:
	"""The sales that were expected of each tenth of the leads, and those that came."""
	return [
		{"expected": round(tenth["expected"] * tenth["leads"], 1), "won": tenth["won"]} for tenth in deciles
	]
