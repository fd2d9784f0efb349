"""Which lead first, by the company's own past sales: the app's model on what it exports."""

import csv
from datetime import timedelta

import pytest

from lead_quality.audit import figures, ranking
from lead_quality.audit.store import Journey
from lead_quality.engine.priority import NEVER, Model, Weight
from tests.unit.audit_files import PRESENT, options, run, section, write

LEADS = 1_200


def company(folder, sold) -> list:
	"""Two leads a day, one of a fair and one from the web; `sold(number)` says which were sold, ten days after they came."""
	leads, customers, orders = [], [], []
	for number in range(LEADS):
		at = PRESENT - timedelta(days=700 - number // 2)
		source = "Fair" if number % 2 else "Web"
		leads.append(
			{
				"name": f"L-{number}",
				"creation": at,
				"status": "Open",
				"source": source,
				"email_id": f"p{number}@gmail.com",
			}
		)
		if sold(number):
			customers.append({"name": f"C-{number}", "lead_name": f"L-{number}"})
			orders.append(
				{
					"name": f"O-{number}",
					"creation": at + timedelta(days=10),
					"customer": f"C-{number}",
					"status": "Completed",
					"base_grand_total": 100,
				}
			)
	return write(folder, lead=leads, customer=customers, sales_order=orders)


def test_the_order_that_past_sales_point_to_is_held_against_the_newest_first(tmp_path):
	done = run(company(tmp_path, lambda number: number % 2 and number % 10 < 6))

	rows = {row["order"]: row for row in section(done, "ranking")}
	# half of all leads are of the fair, and all sales: any fifth of those holds two fifths of the sales
	assert rows["By past sales"]["first_fifth"] == pytest.approx(0.4, abs=0.02)
	assert rows["The newest first"]["first_fifth"] == pytest.approx(0.2, abs=0.05)
	[finding] = [one.finding for one in done.report.sections if one.key == "ranking"]
	assert "40." in finding or "39." in finding
	weights = {(row["field"], row["value"]): row["factor"] for row in section(done, "ranking_weights")}
	assert weights["Source", "Fair"] > 1.5
	assert weights["Source", "Web"] < 0.5


@pytest.mark.parametrize(
	("sold", "said"),
	[
		(lambda number: number < 40, "it takes 50"),
		(lambda number: number < 100, "too close together"),
		(lambda number: number % 20 < 2, "no better order than chance"),
	],
)
def test_where_nothing_can_be_learned_it_says_why_and_gives_no_weights(sold, said, tmp_path):
	done = run(company(tmp_path, sold))

	[finding] = [one.finding for one in done.report.sections if one.key == "ranking"]
	assert said in finding
	assert not [one for one in done.report.sections if one.key == "ranking_weights"]


def test_without_orders_nobody_can_tell(tmp_path):
	[leads, *_others] = company(tmp_path, lambda number: False)
	done = run([leads])

	[ranking] = [one for one in done.report.sections if one.key == "ranking"]
	assert ranking.rows == [] and "Nobody can tell" in ranking.finding


def test_the_order_is_learned_from_all_that_the_app_learns_from(tmp_path):
	[leads, *others] = company(tmp_path, lambda number: number % 2 and number % 10 < 6)
	told = {"industry": "Steel", "no_of_employees": "11-50", "territory": "North", "request_type": "Enquiry"}
	rows = [
		{**row, **(told if number % 2 else {}), "website": "x.example" if number % 3 else ""}
		for number, row in enumerate(csv.DictReader(leads.open()))
	]
	done = run([*write(tmp_path, lead=rows), *others])

	fields = {row["field"] for row in section(done, "ranking_weights")}
	assert {"Industry", "Employees", "Territory", "Request type", "Days since it came in"} <= fields


def test_nothing_is_learned_from_what_comes_later_or_from_who_somebody_is(tmp_path):
	entered = PRESENT - timedelta(days=90)

	def known(days: float, **later: object) -> list:
		"""What is known of a lead at its entry and a week later, if it was called and has answered after so many days."""
		at = entered + timedelta(days=days)
		journey = Journey("L", entered, conversation_at=at, first_touch_at=at, opportunity_at=at)
		facts = figures.see([journey], figures.Known(), options())
		[case] = ranking.cases(facts, {"L": {"industry": "Steel", "email_id": "ann@gmail.com", **later}})
		return list(case.moments)

	never = known(60)
	assert known(8) == never
	assert [moment["stage"] for _days, moment in known(3)] == ["target", "opportunity"]
	assert [moment["touched"] for _days, moment in known(3)] == ["", "Yes"]
	assert known(8, lead_name="Ann", gender="Female", date_of_birth="1990-01-01", nationality="CH") == never
	assert not NEVER.intersection(*(moment for _days, moment in never))
	assert "ann@gmail.com" not in str(never)


@pytest.mark.parametrize(
	("value", "words"),
	[
		("..1", "0"),
		("..4", "up to 3"),
		("3..4", "3"),
		("3..6", "3 to 5"),
		("9..", "9 or more"),
		("", "not given"),
	],
)
def test_a_range_of_numbers_is_said_in_words(value, words):
	model = Model(0.0, (Weight("filled", value, 1.0, 10, 5),), {}, (), 10, 5, {"": 30})

	[row] = ranking.weights(model).rows

	assert row[1] == words
