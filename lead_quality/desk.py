"""What the app adds to ERPNext's own screens."""

from frappe import _


def lead_dashboard(data: dict) -> dict:
	"""The Connections of a Lead, with the app's documents."""
	data["transactions"].append(
		{
			"label": _("Lead Quality"),
			"items": ["Lead Touch", "Lead Qualification", "Nurture Enrollment", "Lead Handover", "Follow Up Clock"],
		}
	)
	return data
