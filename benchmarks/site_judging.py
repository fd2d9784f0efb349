"""What judging a lead adds to a save that changes a field which answers a criterion, and to one that does not.

`./dev bench` runs it on a site of its own with 100,000 leads. To run it again on that site, in the bench's folder
`sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_judging.py

The same lead is saved alternately with its checklist's fields known to the app and with none known, each time in a
request of its own, commit included; medians of the differences within pairs, so that what else the machine does
cancels out. The verdict does not change. Nothing is enforced.
"""

import frappe
from erpnext.crm.doctype.lead import lead as lead_module
from on_site import app_is_installed, cost_of, describe, fill, median, request

PAIRS = 200
WARM_UP = 10
TITLE = "Benchmark Judging"


def set_up() -> str:
	"""A lead of a segment whose checklist asks BANT and the job title. Returns its name."""
	criteria = [
		{"criterion": "title", "label": "Job title", "answer_type": "Text", "lead_field": "job_title"},
		*(
			{"criterion": key, "label": key, "answer_type": "Text", "per_contact": int(key == "authority")}
			for key in ("budget", "authority", "need", "timescale")
		),
	]
	if not frappe.db.exists("Qualification Checklist", f"{TITLE} v1"):
		frappe.get_doc(
			doctype="Qualification Checklist",
			title=TITLE,
			status="Active",
			pass_rule="All",
			criteria=criteria,
		).insert()
	if not frappe.db.exists("Lead Segment", TITLE):
		rule = {"field": "company_name", "operator": "=", "value": TITLE}
		frappe.get_doc(doctype="Lead Segment", title=TITLE, priority=1, rules=[rule]).insert()
	# other benchmarks on this site give the segments other checklists
	frappe.get_doc("Lead Segment", TITLE).update({"checklist": f"{TITLE} v1"}).save()
	lead = frappe.get_doc(doctype="Lead", first_name="Anna", company_name=TITLE, job_title="Buyer").insert()
	frappe.db.commit()
	return lead.name


def save(name: str, fieldname: str, value: str, judged: bool):
	from lead_quality.qualification import facts

	with request():
		known = facts.answering_fields
		if not judged:
			facts.answering_fields = frozenset
		try:
			doc = frappe.get_doc("Lead", name)
			doc.set(fieldname, value)
			# the desk's own save answers "Saved" in the user's language
			return cost_of(lambda: (doc.save(), frappe._("Saved"), frappe.db.commit()))
		finally:
			facts.answering_fields = known


def main() -> None:
	lead_module.has_gravatar = lambda email: ""
	with request():
		if not app_is_installed():
			return
		fill()
		name = set_up()
		print(f"{describe('Lead', 'Lead Qualification')}; medians of {PAIRS} pairs, in ms and queries\n")
	for what, fieldname in (("answered field changed", "job_title"), ("other field changed", "city")):
		plain, differences = [], []
		for number in range(-WARM_UP, PAIRS):
			pair = {}
			for judged in (bool(number % 2), not number % 2):
				pair[judged] = save(name, fieldname, f"{what} {number} {judged}", judged)
			if number >= 0:
				plain.append(pair[False])
				differences.append(pair[True] - pair[False])
		print(f"{what:22} adds {median(differences)} to {median(plain)}")
	print()


if __name__ == "__main__":
	main()
