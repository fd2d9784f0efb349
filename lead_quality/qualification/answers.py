"""Answers: the rows of a Lead Qualification, one by criterion, and by contact where each is asked."""

from frappe.utils import get_datetime

from lead_quality.engine import qualification as engine

ANSWER = (
	"idx",
	"criterion",
	"label",
	"contact",
	"value",
	"confidential_value",
	"currency",
	"exchange_rate",
	"met",
	"evidence_grade",
	"note",
	"confidential_note",
	"reference_doctype",
	"reference_name",
	"answered_by",
	"answered_on",
)


def key_of(row) -> tuple[str, str | None]:
	"""What tells an answer from the others: its criterion, and its contact where each is asked."""
	return row.criterion, row.contact or None


def value_of(row) -> str:
	"""The answer of a row, wherever it is kept."""
	return row.value or row.confidential_value or ""


def as_text(value) -> str | None:
	"""An answer as it is kept: an API call may send a number or a truth value."""
	return value if value is None or isinstance(value, str) else str(value)


def set_value(row, criterion, value: str | None):
	"""Write the answer of a row where it belongs."""
	row.update({"confidential_value" if criterion.confidential else "value": value})


def place(row, criterion):
	"""Keep the answer and the note of a row where its criterion, confidential or not, has them."""
	for plain, confidential in (("value", "confidential_value"), ("note", "confidential_note")):
		text = row.get(plain) or row.get(confidential)
		row.update(
			{
				plain: None if criterion.confidential else text,
				confidential: text if criterion.confidential else None,
			}
		)


def as_answer(row, criterion) -> engine.Answer:
	"""The engine's answer of a row of a qualification.

	:param criterion: its row of the checklist.
	"""
	return engine.Answer(
		value_of(row),
		row.answered_on and get_datetime(row.answered_on),
		(row.exchange_rate or 0.0) if criterion.amount_currency else 1.0,
	)
