"""Which lead first, by the company's own past sales: the app's model on what it exports."""

from datetime import timedelta

import pytest

from tests.unit.audit_files import PRESENT, run, section, write

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
	assert weights["Source", "Fair"] == pytest.approx(2, abs=0.01)
	assert weights["Source", "Web"] == 0


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
