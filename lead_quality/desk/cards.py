"""Number cards with filters that Frappe's own cards cannot express: the figure, and the list that a click opens."""

from typing import TypeVar

import frappe
from frappe import _
from frappe.desk.doctype.number_card.number_card import get_result
from frappe.utils import escape_html, fmt_money, now_datetime

from lead_quality.base.currency import Total, company_currency, rates_into
from lead_quality.base.queries import Where, leads_where
from lead_quality.base.report import SMALL_SAMPLE, percent
from lead_quality.base.versions import several_conditions
from lead_quality.follow_up import risks
from lead_quality.lead_quality.report.journeys import JourneyReport
from lead_quality.lead_quality.report.leaks.leaks import Leaks
from lead_quality.lead_quality.report.qualified_leads.qualified_leads import QualifiedLeads
from lead_quality.lead_quality.report.wasted_leads.wasted_leads import WastedLeads

RISKS_REPORT = "Leads at Risk"
# what is written on a card, whatever the reader's number format: the desk puts it into that
NUMBER_FORMAT = "#,###.##"

Kind = TypeVar("Kind", bound=JourneyReport)


@frappe.whitelist()
def leads_overdue(filters: str | list | None = None) -> dict:
	"""Number card: enabled leads with a deadline that has passed.

	:param filters: what Frappe sends; this card has none.
	"""
	# the list knows no seconds
	now = now_datetime().replace(second=0, microsecond=0)
	conditions = [["is", "set"], ["<", str(now)]]
	return _list_card(
		[["Lead", "disabled", "=", 0], *(["Lead", "lq_due_at", *condition] for condition in conditions)],
		{"disabled": 0, "lq_due_at": several_conditions(conditions)},
	)


@frappe.whitelist()
def leads_without_owner(filters: str | list | None = None) -> dict:
	"""Number card: leads in work that nobody who is there owns. See `leads_overdue`."""
	return _risk_card(risks.NO_OWNER)


@frappe.whitelist()
def leads_without_next_step(filters: str | list | None = None) -> dict:
	"""Number card: leads in work without a dated next step. See `leads_overdue`."""
	return _risk_card(risks.NO_NEXT_STEP)


@frappe.whitelist()
def stale_leads(filters: str | list | None = None) -> dict:
	"""Number card: leads in work that no person has touched for too long. See `leads_overdue`."""
	return _risk_card(risks.STALE)


# of the leads that came in within the last three months, as the report Qualified Leads counts them


@frappe.whitelist()
def qualified_leads(filters: str | list | None = None) -> dict:
	"""Number card: of the leads that came in, the share that is qualified by now. See `leads_overdue`."""
	return _share_card(QualifiedLeads, "qualified", "leads")


@frappe.whitelist()
def qualified_leads_pursued(filters: str | list | None = None) -> dict:
	"""Number card: of the qualified leads, the share that somebody has pursued within the agreed time; without those whose
	time still runs. See `leads_overdue`."""
	return _share_card(QualifiedLeads, "pursued", "judged")


@frappe.whitelist()
def wasted_leads(filters: str | list | None = None) -> dict:
	"""Number card: of the leads that came in, the share that is wasted. See `leads_overdue`."""
	return _share_card(WastedLeads, "wasted", "leads")


@frappe.whitelist()
def first_response(filters: str | list | None = None) -> dict:
	"""Number card: the working time after which half of the leads that have a first response had it. See
	`leads_overdue`."""
	report = _report(QualifiedLeads, "answered")
	seconds = report.median_response()
	shown = "–" if seconds is None else _span(seconds)
	return {**_card(shown, report), "figure": seconds}


@frappe.whitelist()
def money_not_pursued(filters: str | list | None = None) -> dict:
	"""Number card: what the qualified leads are worth that are open, and that nobody pursues. See `leads_overdue`."""
	report = _report(QualifiedLeads, "not_pursued")
	total = Total(report.currency, rates_into(report.currency))
	for group in report.worth.values():
		total.amount += group.amount
		total.cases += group.cases
		total.without_rate += group.without_rate
	estimates = [one for one in report.estimates.values() if one.leads]
	total.amount += sum(one.amount for one in estimates)
	shown = _money(total)
	if estimates:
		won = {key: cases for one in estimates for key, cases in one.of.items()}
		shown = _("{0}, {1} leads by the median of {2} won").format(
			shown, sum(one.leads for one in estimates), sum(won.values())
		)
	return {**_card(shown, report), "figure": total.amount}


@frappe.whitelist()
def biggest_leak(filters: str | list | None = None) -> dict:
	"""Number card: the step at which most money is short of its target, or, where nobody can say how much, most leads; of
	the leads of the last three months. A click opens Leaks; who may run no report, as a Lead Qualifier, may see no target
	either, and no leak. See `leads_overdue`."""
	frappe.has_permission("Lead", "read", throw=True)
	period = QualifiedLeads.defaults()
	report = Leaks(period)
	if not may_run(report.name):
		return {"value": _as_written("–"), "fieldtype": "Data", "figure": None, **_names_list([])}
	leak = next((row for row in report.rows() if row["missing"]), None)
	figure = leak and (leak["missing_value"] or leak["missing"])
	card = {"value": _as_written(_leak(leak, report.money.currency)), "fieldtype": "Data", "figure": figure}
	return {**card, "route": ["query-report", report.name], "route_options": period}


@frappe.whitelist()
def money_in_handover(filters: str | list | None = None) -> dict:
	"""Number card: what the handovers are worth that wait for an answer. See `leads_overdue`."""
	frappe.has_permission("Lead Handover", "read", throw=True)
	currency = company_currency(None)
	total = Total(currency, rates_into(currency))
	where = Where()
	where.add("`tabLead Handover`.status = 'Sent' and `tabLead Handover`.expected_value != 0")
	where.visible("Lead Handover")
	for row in where.select(
		"select expected_value, currency, sent_at from `tabLead Handover` where {where} order by name"
	):
		total.add(row.expected_value, row.currency, row.sent_at)
	return {
		"value": _as_written(_money(total)),
		"fieldtype": "Data",
		"figure": total.amount,
		"route": ["List", "Lead Handover", "List"],
		"route_options": {"status": "Sent"},
	}


def _report(kind: type[Kind], count: str) -> Kind:
	"""A report's list of what a card counts."""
	frappe.has_permission("Lead", "read", throw=True)
	filters = {**QualifiedLeads.defaults(), "show": "Leads", "count": count}
	if not may_run(kind.name):
		filters["without_deleted"] = 1  # no list of leads has them
	return kind(filters)


def _share_card(kind: type[QualifiedLeads] | type[WastedLeads], part: str, whole: str) -> dict:
	"""The share of one count of a report in another; the list behind it is that of the first."""
	report = _report(kind, part)
	totals = report.totals()
	share = percent(totals[part], totals[whole])
	if share is None:
		shown = "–"
	elif totals[whole] < SMALL_SAMPLE:
		shown = _("{0} of {1}").format(totals[part], totals[whole])
	else:
		shown = _("{0} % of {1}").format(f"{share:.1f}", f"{totals[whole]:,}")
	return {**_card(shown, report), "figure": share, "counted": totals[part], "of": totals[whole]}


def _card(shown: str, report: JourneyReport) -> dict:
	"""What a card shows, and what a click on it opens: the report's list, or to those who may run no report, a list of
	leads."""
	card = {"value": _as_written(shown), "fieldtype": "Data"}
	if may_run(report.name):
		return {**card, "route": ["query-report", report.name], "route_options": {**report.filters}}
	return {**card, **_names_list([row["lead"] for row in report.listing().rows()])}


def _as_written(shown: str) -> str:
	"""Words and figures on a card. The desk takes the text out of markup, and fails on a text without any."""
	return f"<span>{escape_html(shown)}</span>"


def _leak(leak: dict | None, currency: str | None) -> str:
	if not leak:
		return "–"
	short = leak["missing_value"]
	what = (
		fmt_money(short, 0, currency, NUMBER_FORMAT)
		if short
		else _("{0} leads").format(round(leak["missing"]))
	)
	return _("{0}: {1} short").format(leak["step"], what)


def _span(seconds: float) -> str:
	minutes = round(seconds / 60)
	return _("{0} min").format(minutes) if minutes < 60 else _("{0} h").format(f"{seconds / 3600:,.1f}")


def _money(total: Total) -> str:
	shown = fmt_money(total.amount, 0, total.currency, NUMBER_FORMAT)
	if total.without_rate:
		return _("{0} + {1} without a rate").format(shown, total.without_rate)
	return shown


def _list_card(filters: list, route_options: dict) -> dict:
	"""A figure that a list of leads shows; `route_options` are the same filters as the desk takes them."""
	count = get_result(frappe._dict(document_type="Lead", function="Count"), filters)
	return {
		"value": count,
		"fieldtype": "Int",
		"route": ["List", "Lead", "List"],
		"route_options": route_options,
	}


def _risk_card(fault: str) -> dict:
	"""A figure that the report Leads at Risk shows, or, to those who may run no report, a list of leads."""
	frappe.has_permission("Lead", "read", throw=True)
	if may_run(RISKS_REPORT):
		return {
			"value": _leads_at_risk(fault, "count(*) as leads")[0].leads,
			"fieldtype": "Int",
			"route": ["query-report", RISKS_REPORT],
			"route_options": {"show": "Leads", "fault": fault},
		}
	names = [row.name for row in _leads_at_risk(fault, "`tabLead`.name")]
	return {"value": len(names), "fieldtype": "Int", **_names_list(names)}


def _names_list(names: list[str]) -> dict:
	"""The list of some leads; without any name it would leave the filter out."""
	return {
		"route": ["List", "Lead", "List"],
		"route_options": {"name": ["in", ",".join(names) or "-"]},
	}


def _leads_at_risk(fault: str, columns: str) -> list:
	"""Leads that the user may see, as the report lists them."""
	where = leads_where(frappe._dict(), created=False)
	where.add("`tabLead`.disabled = 0")
	where.add(risks.IS_OF_MANY[fault])
	query = f"select {columns} from {risks.MANY_LEADS_BY[fault]} where {{where}}"
	return where.select(query, **risks.values_of_many(now_datetime()))


def may_run(report: str) -> bool:
	doc = frappe.get_cached_doc("Report", report)
	return doc.is_permitted() and bool(frappe.has_permission(doc.ref_doctype, "report"))
