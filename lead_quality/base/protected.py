"""Fields that only the app writes."""


def restore_protected_fields(doc, *fieldnames: str):
	"""Restore fields that only the app sets to their stored values: Frappe enforces `read_only` in forms only, not in the
	API.

	The app's own saves use `ignore_permissions` and are not affected.
	"""
	if doc.flags.ignore_permissions:
		return
	before = doc.get_doc_before_save()
	for fieldname in fieldnames:
		doc.set(fieldname, before.get(fieldname) if before else None)
