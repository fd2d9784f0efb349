"""A cadence in plain words: when each step is due, and what looks like a mistake in the plan."""

from frappe import _

from lead_quality.engine import cadence as engine
from lead_quality.nurture.planning import get_steps


def plan_in_words(cadence) -> dict[str, str]:
	"""The steps of a Nurture Cadence document by their names, such as "First call: Phone, 30 minutes after
	enrollment"."""
	return {row.step: step_in_words(row, index) for index, row in enumerate(cadence.steps)}


def step_in_words(row, index: int) -> str:
	"""When a step (its row, the first has `index` 0) is due and on which channel."""
	when = span_in_words(row.delay or 0, row.delay_unit)
	anchors = {
		"Enrollment": (_("at enrollment"), _("{0} after enrollment")),
		"Lead Created": (_("when the lead comes in"), _("{0} after the lead came in")),
		"Handover Accepted": (_("when sales accepts the lead"), _("{0} after sales accepted the lead")),
		"Date Field": (_("on the day in {1}"), _("{0} after the day in {1}")),
		"Previous Touch": (_("as soon as the step before is done"), _("{0} after the step before")),
	}
	anchor = "Enrollment" if row.anchor == "Previous Touch" and not index else row.anchor
	at_once, later = anchors[anchor]
	words = (later if row.delay else at_once).format(when, row.date_field)
	if row.repeat_every:
		words = _("{0}, then every {1}").format(words, span_in_words(row.repeat_every, row.delay_unit))
	return _("{0}: {1}, {2}").format(row.step, _(row.channel), words)


def span_in_words(count: int, unit: str) -> str:
	one = {
		"Minutes": _("1 minute"),
		"Hours": _("1 hour"),
		"Working Hours": _("1 working hour"),
		"Days": _("1 day"),
		"Working Days": _("1 working day"),
		"Weeks": _("1 week"),
		"Months": _("1 month"),
	}
	many = {
		"Minutes": _("{0} minutes"),
		"Hours": _("{0} hours"),
		"Working Hours": _("{0} working hours"),
		"Days": _("{0} days"),
		"Working Days": _("{0} working days"),
		"Weeks": _("{0} weeks"),
		"Months": _("{0} months"),
	}
	return one[unit] if count == 1 else many[unit].format(count)


def warnings_in_words(cadence) -> list[str]:
	"""What looks like a mistake in the plan of a Nurture Cadence document, with the reason."""
	rows = cadence.steps
	words = {
		"No Delay": _("Step {0}, {1}, has no delay: it is due as soon as step {2}, {3}, is done."),
		"Same Time": _("Step {0}, {1}, is due at the same time as step {2}, {3}."),
	}
	return [
		words[odd.kind].format(odd.index + 1, rows[odd.index].step, odd.other + 1, rows[odd.other].step)
		for odd in engine.odd_steps(get_steps(cadence))
	]
