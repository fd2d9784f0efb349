"""Facts about a lead that follow from several of its fields, so that nobody has to be asked.

A criterion may name a fact where it could name a field of the Lead.
"""

import frappe
from frappe.utils import validate_email_address, validate_phone_number
from frappe.utils.data import cast

from lead_quality.base.versions import lead_field
from lead_quality.funnel.summary import VERDICT_FIELDS
from lead_quality.qualification.definitions import in_force

# fact to the fields of the Lead that it is told from
FACTS = {"reachable": ("email_id", "mobile_no", "phone")}


def says_verdict(source: str) -> bool:
	"""Whether a field of the Lead is one that the app writes. As an answer it would feed the verdict back into
	itself."""
	return source.startswith("lq_") or source in VERDICT_FIELDS


def fields_of(source: str) -> tuple[str, ...]:
	"""The fields of this site's Lead that answer a criterion whose `lead_field` is `source`; none if it is unknown."""
	if source in FACTS:
		return FACTS[source]
	fieldname = None if says_verdict(source) else lead_field(source)
	return (fieldname,) if fieldname else ()


def answering_fields() -> frozenset[str]:
	"""The Lead fields that answer a criterion of an active checklist by themselves."""
	return frozenset(field for source in answering_sources() for field in fields_of(source))


def answering_sources() -> frozenset[str]:
	"""The fields and facts that criteria of checklists in force name as `lead_field`."""
	return in_force()["sources"]


def value_of(source: str, lead) -> str | None:
	"""What a lead (document or row) says to a criterion whose `lead_field` is `source`, or None if nothing."""
	if source in FACTS:
		return "Yes" if is_reachable(lead) else "No"
	fieldname = next(iter(fields_of(source)), None)
	value = lead.get(fieldname) if fieldname else None
	df = frappe.get_meta("Lead").get_field(fieldname) if value else None
	if df:
		# a form or a file sends "25000" for what the database then reads as 25000.0: one answer, not two
		value = cast(df.fieldtype, value)
	return str(value) if value else None


def is_reachable(lead) -> bool:
	"""Whether there is a well-formed phone number, or an e-mail address from which no mail has come back."""
	if any(validate_phone_number(lead.get(field) or "") for field in ("mobile_no", "phone")):
		return True
	email_id = validate_email_address(lead.get("email_id") or "")
	return bool(email_id) and not frappe.db.exists(
		"Contact Opt Out", {"email_id": email_id, "reason": "Bounced"}
	)
