"""Giving a lead to another owner."""

NO_PICTURE = "lead_quality_no_picture"


def give_lead(lead, owner: str | None):
	"""Save a Lead document with another owner, or without one, whatever the user's permissions.

	The lead is locked until the transaction ends. At every save of a lead with an address and without a picture, ERPNext
	asks gravatar.com for one; a placeholder keeps it from waiting for that. `remove_placeholder` takes it away before the
	lead is stored.
	"""
	lead.lead_owner = owner
	if not lead.image:
		lead.image = NO_PICTURE
	lead.save(ignore_permissions=True)


def remove_placeholder(lead):
	"""Called when ERPNext has validated the lead."""
	if lead.image == NO_PICTURE:
		lead.image = None
