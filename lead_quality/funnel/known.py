"""What a lead says of its company, by which it is likelier to buy or not: kept as it was at its entry."""

import json

from lead_quality.engine.priority import FILLED, MISSING, PHONES, Facts, said_by

# what is read of a lead for `said_by`
FIELDS = tuple(dict.fromkeys((*FILLED, *PHONES)))


def as_json(lead) -> str:
	"""For the stage log, of a new lead."""
	return json.dumps({name: value for name, value in said_by(lead).items() if value != MISSING})


def from_json(stored: str | None) -> Facts | None:
	"""What the stage log says that a lead knew at its entry; None if nobody has written it down then."""
	return json.loads(stored) if stored else None
