"""All leads put into their segments and judged again, on a site with 100,000 leads and two background workers.

`./dev bench` runs it on a site of its own. To run it again on that site, in the bench's folder `sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_requalify.py

Every lead has a Lead Qualification with four answers. Three changes, one after the other, each from the click to the
last lead, by the bench's own workers, with a Redis of their own:

- a new segment takes every tenth lead;
- all leads move to a new version of their checklist by which every tenth becomes sales ready: each of these is told
  to the other rooms as at every save, which ends its triage clock;
- nothing has changed.

Memory is the highest resident set of any worker process and its children. Nothing is enforced.
"""

import frappe
from on_site import LEADS, app_is_installed, describe, fill, queue_of_its_own, request, workers

WORKERS = 2
ENDED = ("Completed", "Failed")
CRITERIA = ("budget", "authority", "need", "timescale")
SEGMENT = "Benchmark Tenth"


def fill_judgements() -> None:
	"""A judgement of each lead by BANT v1: all have told need and authority, every tenth has a budget."""
	if frappe.db.count("Lead Qualification") >= LEADS:
		return
	lead = "concat('BENCH-LEAD-', lpad(seq, 6, '0'))"
	at = "timestamp('2026-01-01') + interval seq minute"
	stamps = f"{at}, {at}, 'Administrator', 'Administrator'"
	frappe.db.sql(
		f"""
		insert into `tabLead Qualification` (name, creation, modified, owner, modified_by, lead, lead_name, checklist,
			verdict, horizon, met_count, criteria_count, score, reason, decided_by, decided_on)
		select concat('bench', seq), {stamps}, {lead}, 'Kellerbrunn Works', 'BANT v1', 'Open', 'Unknown',
			if(seq mod 10 = 0, 3, 2), 4, if(seq mod 10 = 0, 3, 2), 'Judged.', 'Administrator', {at}
		from seq_1_to_{LEADS}
		"""
	)
	values = {
		"budget": "if(seq mod 10 = 0, '25000', null)",
		"authority": "'Decision Maker'",
		"need": "'Their heating bill has doubled.'",
		"timescale": "null",
	}
	for idx, criterion in enumerate(CRITERIA, 1):
		frappe.db.sql(
			f"""
			insert into `tabLead Qualification Answer` (name, creation, modified, owner, modified_by, parent, parenttype,
				parentfield, idx, criterion, label, value, met, evidence_grade, answered_by, answered_on)
			select concat('bench{criterion}', seq), {stamps}, concat('bench', seq), 'Lead Qualification', 'answers',
				{idx}, '{criterion}', '{criterion}', {values[criterion]}, {values[criterion]} is not null, 'Stated',
				'Administrator', {at}
			from seq_1_to_{LEADS}
			"""
		)
	frappe.db.commit()
	for doctype in ("Lead Qualification", "Lead Qualification Answer"):
		frappe.db.sql(f"analyze table `tab{doctype}`")


def reset() -> None:
	"""Every lead in the segment that takes what is left, and judged by the first version of its checklist."""
	frappe.db.delete("Lead Segment", {"name": SEGMENT})
	frappe.db.delete("Qualification Checklist", {"title": "BANT", "version": [">", 1]})
	frappe.db.set_value("Qualification Checklist", "BANT v1", "status", "Active")
	frappe.db.sql("update `tabLead Segment` set checklist = 'BANT v1'")
	frappe.db.sql(
		"update `tabLead Qualification` set checklist = 'BANT v1', verdict = 'Open', decided_on = creation"
	)
	frappe.db.sql(
		"""
		update `tabLead` l join `tabLead Qualification` q on q.lead = l.name set l.lq_segment = 'Other Leads',
			l.lq_verdict = 'Open', l.lq_met_count = q.met_count, l.lq_criteria_count = 4,
			l.qualification_status = 'In Process', l.qualified_by = null, l.qualified_on = null
		"""
	)
	frappe.db.commit()
	frappe.clear_cache()


def add_segment() -> dict:
	frappe.get_doc(
		doctype="Lead Segment",
		title=SEGMENT,
		priority=1,
		checklist="BANT v1",
		rules=[
			{"field": "email_id", "operator": "like", "value": "%1@%"},
			{"field": "email_id", "operator": "like", "value": "%@lead.example"},
		],
	).insert()
	return {}


def new_version() -> dict:
	doc = frappe.get_doc("Qualification Checklist", "BANT v1").make_new_version()
	doc.update({"pass_rule": "At Least", "at_least": 3, "status": "Active"})
	doc.save()
	return {"move_from": "BANT v1", "move_to": doc.name}


def measure(title: str, change) -> None:
	from lead_quality.base.parts import progress
	from lead_quality.qualification import requalify

	def counts_so_far() -> dict:
		frappe.db.rollback()
		return progress(run)

	with queue_of_its_own(), workers(WORKERS, "long") as crew, request():
		run = requalify.start(**change())
		frappe.db.commit()
		seconds = crew.work_until(lambda: counts_so_far()["status"] in ENDED)
		counts = counts_so_far()
	assert counts["status"] == "Completed", counts
	print(
		f"{title:34} {seconds:6.1f} s  {counts['done'] / seconds:7,.0f} leads/s  {counts['changed']:7,} changed"
		f"  {crew.memory:4} MB a worker at most"
	)


def main() -> None:
	with request():
		if not app_is_installed():
			return
		fill()
		fill_judgements()
		print(f"{describe('Lead', 'Lead Qualification', 'Lead Qualification Answer')}; {WORKERS} workers\n")
		reset()
	measure("a segment takes some leads", add_segment)
	measure("a new version of the checklist", new_version)
	measure("nothing has changed", dict)
	print()


if __name__ == "__main__":
	main()
