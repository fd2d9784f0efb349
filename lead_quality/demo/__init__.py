"""Demo data: `bench --site SITE execute lead_quality.demo.make`, and `lead_quality.demo.logins` to log in."""

import frappe

from lead_quality.demo.story import CAST, DONE, PASSWORD, Story


def make(leads: int = 300) -> dict:
	"""Play six months of a company's leads on this site, unless that was done before.

	Every run has the same result, apart from the dates, which end at the present.

	:param leads: how many leads come in.
	:returns: number of records of each kind.
	"""
	if frappe.db.get_default(DONE):
		print("The demo is here already.")
		return counts()
	if frappe.db.exists("User", CAST[0].email):
		frappe.throw(
			frappe._("The demo did not finish on this site. Create a new site and run this command there.")
		)
	if not frappe.defaults.get_global_default("company"):
		frappe.throw(
			frappe._(
				"This site has no company yet: finish ERPNext's setup wizard, then run this command again."
			)
		)
	Story(leads).play()
	return counts()


def logins() -> list[tuple[str, str, str]]:
	"""Logins of the demo: user, password, and job."""
	return [(person.email, PASSWORD, person.job) for person in CAST]


def counts() -> dict:
	"""Number of records of each kind on the site."""
	doctypes = (
		"Lead",
		"Lead Touch",
		"Lead Qualification",
		"Lead Handover",
		"Follow Up Clock",
		"Opportunity",
		"Quotation",
		"Sales Order",
	)
	return {doctype: frappe.db.count(doctype) for doctype in doctypes}
