"""What a lead says of its company, by which it is likelier to buy or not: never who somebody is, nor an address."""

import json

from lead_quality.engine.priority import MISSING, Facts, completeness, kind_of_mail

# fields that are told as they are
SAID = ("industry", "market_segment", "request_type", "type", "no_of_employees")
# fields of which it counts how many are filled in
FILLED = (
	"company_name",
	"email_id",
	"phone",
	"mobile_no",
	"whatsapp_no",
	"website",
	"job_title",
	"city",
	"country",
	*SAID,
)
PHONES = ("phone", "mobile_no", "whatsapp_no")
# what is read of a lead for `facts_of`
FIELDS = tuple(dict.fromkeys((*FILLED, *PHONES)))


def facts_of(lead) -> dict:
	"""What a lead (document or row with `FIELDS`) says of its company."""
	return {
		**{field: lead.get(field) or MISSING for field in SAID},
		"mail": kind_of_mail(lead.get("email_id")),
		"has_phone": "Yes" if any(lead.get(field) for field in PHONES) else MISSING,
		"has_website": "Yes" if lead.get("website") else MISSING,
		"filled": completeness(lead.get(field) for field in FILLED),
	}


def as_json(lead) -> str:
	"""For the stage log, of a new lead."""
	return json.dumps({name: value for name, value in facts_of(lead).items() if value != MISSING})


def from_json(stored: str | None) -> Facts | None:
	"""What the stage log says that a lead knew at its entry; None if nobody has written it down then."""
	return json.loads(stored) if stored else None
