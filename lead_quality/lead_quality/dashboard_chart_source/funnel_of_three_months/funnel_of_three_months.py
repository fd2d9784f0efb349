"""The funnel: of the leads that came in within the last three months, how many have come to each stage by now."""

import frappe
from frappe import _

from lead_quality.base.queries import Select
from lead_quality.base.report import bars
from lead_quality.engine.conversion import STAGES
from lead_quality.lead_quality.report.journeys import JourneyReport, reached_at, step_in_words


class Funnel(JourneyReport):
	months = 3

	def reached(self) -> list[int]:
		"""How many leads have come to each of the stages, in their order; one that is further has come to all before."""
		counts = ", ".join(
			f"sum({reached_at(STAGES, place)} is not null) as at_{place}" for place in range(len(STAGES))
		)
		(row,) = Select(f"select {counts} from `tabLead Journey` j where {{where}}", self.where()).rows()
		return [int(row[f"at_{place}"] or 0) for place in range(len(STAGES))]


@frappe.whitelist()
def get(**kwargs) -> dict:
	"""The leads that the user may see, non-buyers left out.

	:param kwargs: what Frappe sends to every chart; this one has no filters.
	"""
	frappe.has_permission("Lead", "read", throw=True)
	labels = [step_in_words(stage) for stage in STAGES]
	return bars(labels, {_("Leads"): Funnel().reached()}, ["#1f6feb"])["data"]
