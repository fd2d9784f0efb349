"""What ERPNext tells the handover room."""

from lead_quality.handover import service


def lead_on_trash(doc, method=None):
	service.forget_lead(doc.name)
