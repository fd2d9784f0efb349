"""What a site with two years of leads gets when the app is installed on it, and in the week after.

`./dev bench first-week [LEADS]` makes a site, the history, and runs both parts; 100,000 leads if no number is said. By
hand, in the bench's folder `sites`, before and after `bench install-app lead_quality`:

    LEAD_QUALITY_SITE=… ../env/bin/python ../apps/lead_quality/benchmarks/first_week.py make 100000
    LEAD_QUALITY_SITE=… ../env/bin/python ../apps/lead_quality/benchmarks/first_week.py week

Of each hundred leads 3 have an order, 9 more an Opportunity and no order, 20 more a received mail only, and 68 nothing;
every fifth has no owner. Shown is for each job what a week of it took and its longest run, how many leads stand in each
stage beside how many should, and how much the users were told. Exit status 1 says that a stage differs.
"""

import sys
import time
from datetime import datetime, timedelta

import frappe
from frappe.utils import now_datetime
from on_site import REP, fill_reps, fill_table, request

DAYS, ENTRY = 730, "timestampadd(minute, -floor(seq * {step}), now())"
SALES, OPPORTUNITIES, PROSPECTS = 3, 12, 32  # of each hundred leads, those who have come at least so far
LEAD = "concat('OLD-LEAD-', lpad(seq, 6, '0'))"
STAGES = ("target", "prospect", "opportunity", "sale")


def reached(percent: int, then: str, otherwise: str = "null") -> str:
	return f"if(seq % 100 < {percent}, {then}, {otherwise})"


def make(leads: int) -> None:
	"""The history: leads, mails, Opportunities, customers and orders, past every hook."""
	company = repr(frappe.db.get_value("Company", {}))
	at = ENTRY.format(step=DAYS * 24 * 60 / leads)
	dated = {"creation": at, "modified": at}
	fill_reps()
	status = reached(SALES, "'Converted'", reached(OPPORTUNITIES, "'Opportunity'", "'Lead'"))
	fill_table(
		"Lead",
		leads,
		LEAD,
		first_name="'Olga'",
		lead_name="concat('Olga Alt ', seq)",
		title="concat('Old Works ', seq)",
		company_name="concat('Old Works ', seq)",
		email_id="concat('olga.', seq, '@old.example')",
		status=status,
		company=company,
		lead_owner=f"if(seq % 5 = 0, null, {REP})",
		**dated,
	)
	fill_of("Communication", leads, PROSPECTS, "concat('old', seq)", **dated, **mail(at))
	fill_of(
		"Opportunity",
		leads,
		OPPORTUNITIES,
		"concat('OLD-OPP-', seq)",
		opportunity_from="'Lead'",
		party_name=LEAD,
		status="'Open'",
		company=company,
		transaction_date=f"date({at})",
		**dated,
	)
	fill_of("Customer", leads, SALES, "concat('OLD-CUST-', seq)", lead_name=LEAD, customer_name=LEAD, **dated)
	fill_of(
		"Sales Order",
		leads,
		SALES,
		"concat('OLD-SO-', seq)",
		docstatus="1",
		customer="concat('OLD-CUST-', seq)",
		company=company,
		currency="'EUR'",
		transaction_date=f"date({at})",
		base_grand_total="1000",
		**dated,
	)


def mail(at: str) -> dict[str, str]:
	return {
		"communication_type": "'Communication'",
		"communication_medium": "'Email'",
		"sent_or_received": "'Received'",
		"reference_doctype": "'Lead'",
		"reference_name": LEAD,
		"sender": "concat('olga.', seq, '@old.example')",
		"subject": "'Your offer'",
		"content": "'Please call me.'",
		"communication_date": at,
	}


def fill_of(doctype: str, leads: int, percent: int, name: str, **columns: str) -> None:
	"""Rows of the leads that have come so far: the others are made and taken away again."""
	fill_table(doctype, leads, name, **columns)
	prefix = frappe.db.sql(f"select {name.replace('seq', repr(''))}")[0][0]
	frappe.db.sql(
		f"delete from `tab{doctype}` where name like %s and substr(name, %s) %% 100 >= {percent}",
		(f"{prefix}%", len(prefix) + 1),
	)
	frappe.db.commit()


def truth(leads: int) -> dict[str, int]:
	"""How many leads stand in each stage, as `make` has made them."""
	parts = (100, PROSPECTS, OPPORTUNITIES, SALES, 0)
	at_least = [sum(seq % 100 < part for seq in range(1, leads + 1)) for part in parts]
	return {stage: at_least[place] - at_least[place + 1] for place, stage in enumerate(STAGES)}


def week() -> bool:
	"""Run the jobs of a week; returns whether each stage is right then."""
	with request():
		started = now_datetime()
	spent: dict[str, list[float]] = {}
	for day in range(7):
		for path in jobs():
			begin = time.perf_counter()
			with request():
				frappe.get_attr(path)(now=started + timedelta(days=day))
				frappe.db.commit()
			spent.setdefault(path, []).append(time.perf_counter() - begin)
	with request():
		report_jobs(spent)
		report_told(started)
		return report_stages()


def jobs() -> list[str]:
	"""The app's scheduled functions: what hears of the past first, then what judges, then what tells."""
	with request():
		events = frappe.get_hooks("scheduler_events", app_name="lead_quality")
	paths = [path for kind in ("hourly_long", "hourly", "daily_long") for path in events.get(kind, [])] + [
		path for paths in events["cron"].values() for path in paths
	]
	return list(dict.fromkeys(paths))


def report_jobs(spent: dict[str, list[float]]) -> None:
	for path, seconds in spent.items():
		print(f"{path.removeprefix('lead_quality.'):45} {sum(seconds):8.1f} s, longest {max(seconds):7.1f} s")


def report_told(since: datetime) -> None:
	print(f"alerts raised: {frappe.db.count('Follow Up Alert'):,}")
	told = frappe.db.sql(
		"""
		select for_user, count(*), max(length(ifnull(email_content, '')) + length(subject)) from `tabNotification Log`
		where creation >= %s group by for_user order by 2 desc
		""",
		(since,),
	)
	most = told[0][1] if told else 0
	longest = max((int(row[2] or 0) for row in told), default=0)
	print(f"users told: {len(told)}, at most {most} messages each, the longest of {longest:,} bytes")


def report_stages() -> bool:
	found = dict(
		frappe.db.sql(
			"select lq_stage, count(*) from `tabLead` where name like 'OLD-LEAD-%' group by lq_stage"
		)
	)
	wanted = truth(sum(found.values()))
	for stage in STAGES:
		print(f"{stage:12} {found.get(stage, 0):8,} of {wanted[stage]:8,}")
	return found == wanted


if __name__ == "__main__":
	if sys.argv[1] == "make":
		with request():
			make(int(sys.argv[2]))
	else:
		sys.exit(0 if week() else 1)
