"""The demo has what its reports compare leads with: spend, targets and goals, entered by who enters such things."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import frappe

from lead_quality.demo import aims
from lead_quality.demo.factories import make_lead, make_opportunity, make_sales_ready
from lead_quality.demo.story import ELENA, GOALS, HANNA, SOURCES, Story
from lead_quality.lead_quality.report.funnel_targets.funnel_targets import FunnelTargets
from lead_quality.lead_quality.report.goals.goals import Goals
from lead_quality.lead_quality.report.leaks.leaks import Leaks
from lead_quality.lead_quality.report.source_effectiveness.source_effectiveness import SourceEffectiveness

# a new month and a new quarter are half an hour old
END = "2026-07-01 00:30:00"


class WithoutLeads(Story):
	"""The story of 300 leads takes minutes."""

	def write_script(self):
		self.write_plans(self.now.date())


def test_the_demo_compares_its_leads_with_spend_targets_and_goals(freeze):
	with freeze(END):
		story = WithoutLeads(0)
	begin = story.now.date()
	story.play()
	with freeze(END):
		for source in SOURCES:
			make_lead(source=source)
		ready = make_lead(source="Website").name
		make_sales_ready(ready)
		make_opportunity(ready)
		frappe.db.commit()  # before which journeys are written
		spend_covers_each_day_once(begin, story.end.date())

		today = {"from_date": "2026-07-01", "to_date": "2026-07-01"}
		rows = {row["source"]: row for row in SourceEffectiveness(today).rows()}
		assert {source for source, row in rows.items() if row["cost_per_lead"]} == set(aims.MONTHLY)
		assert rows["Website"]["cost_per_qualified"] == 2 * rows["Website"]["cost_per_lead"]
		assert all(row["roi"] == -100 for source, row in rows.items() if source in aims.MONTHLY)

		wanted = Counter(rate for _step, rate, _days, _source in aims.TARGETS)
		assert Counter(row["target_percent"] for row in Leaks(today).rows()) == wanted
		targets = FunnelTargets({}).rows()
		assert Counter(row["target_rate"] for row in targets) == wanted
		assert {row["owner_user"] for row in targets} == {HANNA, ELENA}

		goals = Goals(today).rows()
		assert {row["user"]: row["goal"] for row in goals if row["goal"]} == GOALS


def test_months_and_quarters_leave_out_no_day_and_have_none_twice():
	for number in range(2 * 366):
		first = date(2027, 1, 1) + timedelta(days=number)
		for length in (0, 31, 182):
			last = first + timedelta(days=length)
			months, quarters = list(aims.months(first, last)), list(aims.quarters(first, last))
			assert months[0][0] == first
			assert quarters[0][0] == date(first.year, (first.month + 2) // 3 * 3 - 2, 1)
			for periods in (months, quarters):
				assert periods[-1][0] <= last <= periods[-1][1]
				assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(periods))
			assert all((ends - begins).days + 1 in (90, 91, 92) for begins, ends in quarters)


def spend_covers_each_day_once(first, last):
	rows = frappe.get_all(
		"Marketing Spend", {"source": "Website"}, ["from_date", "to_date", "owner"], order_by="from_date"
	)
	assert {row.owner for row in rows} == {HANNA}
	assert rows[0].from_date == first
	assert rows[-1].to_date >= last
	assert all((after.from_date - before.to_date).days == 1 for before, after in pairwise(rows))
