"""Exchange rates that the site has: of one day, the same as among all."""

import frappe
import pytest
from frappe.utils import getdate

from lead_quality.base.currency import rates_into, stored_rate


@pytest.fixture
def rates():
	for day, rate in (("2020-03-01", 0.9), ("2020-03-05", 0.8), ("2020-03-05", 0.7)):
		frappe.get_doc(
			doctype="Currency Exchange",
			date=day,
			from_currency="CHF",
			to_currency="NOK",
			exchange_rate=rate,
			for_buying=rate != 0.7,
			for_selling=1,
		).insert()


@pytest.mark.parametrize(("allow_stale", "stale_days"), [(1, 0), (0, 3)])
def test_the_rate_of_one_day_is_the_one_that_reports_take(rates, allow_stale, stale_days):
	frappe.db.set_single_value("Accounts Settings", {"allow_stale": allow_stale, "stale_days": stale_days})
	frappe.clear_document_cache("Accounts Settings", "Accounts Settings")
	of_all = rates_into("NOK")

	found = {}
	for day in (
		"2020-02-28",
		"2020-03-01",
		"2020-03-03",
		"2020-03-04",
		"2020-03-05",
		"2020-03-07",
		"2020-03-20",
	):
		found[day] = stored_rate("CHF", "NOK", getdate(day))
		assert found[day] == of_all("CHF", getdate(day)), day

	assert found["2020-02-28"] is None
	assert found["2020-03-01"] == found["2020-03-03"] == 0.9
	assert (found["2020-03-20"] is None) == (not allow_stale)
	assert stored_rate("CHF", "CHF", getdate("2020-01-01")) == 1
