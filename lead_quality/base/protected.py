"""Fields that only the app writes."""


def restore_protected_fields(doc, *fieldnames: str):
	"""Put back what only the app sets, whatever a form or an API call sent: Frappe guards `read_only` in forms only.

	The app's own saves are made with `ignore_permissions` and pass.
	"""
	if doc.flags.ignore_permissions:
		return
	before = doc.get_doc_before_save()
	for fieldname in fieldnames:
		doc.set(fieldname, before.get(fieldname) if before else None)
