"""Which lead an Opportunity and a Sales Order are credited to, and the first of each that a lead has; for many at once.

An Opportunity is credited to the lead that it names as `lq_lead`, else to the lead that is its party.

An order is credited to the leads of its quotations: the lead that a quotation is made to, that of its opportunity (named
by the quotation or by its rows), or that of its prospect. An order whose quotations name no lead is credited to the lead
that its customer was made from: named as such, by an opportunity, or by a prospect.

A prospect has many leads. One of them is credited: the first that is sales ready, else the first that came in. Once an
order is logged as the sale of one of them, it stays with that one.

A prospect forgets a lead that is deleted. The order that made the lead a sale stays its sale, as the stage log knows, and is
neither of no lead nor of another lead of the prospect.
"""

from collections.abc import Collection

import frappe

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.funnel.conditions import STANDS

# of an Opportunity `o`
LEAD_OF_OPPORTUNITY = (
	"coalesce(nullif(o.lq_lead, ''), if(o.opportunity_from = 'Lead', nullif(o.party_name, ''), null))"
)

# the orders by which leads have become sales that were deleted since, as their journeys and their stage log know them
SALES_OF_DELETED = f"""(
	select log.reference_name from `tabLead Journey` j
	join `tabLead Stage Log` log on log.lead = j.name and log.stage = 'sale' and log.entered_at = j.sale_at
	where j.name like '{DELETED}%%' and log.reference_doctype = 'Sales Order' and log.reference_name != '' and {STANDS}
)"""

# As `leads_of_orders`: a submitted Sales Order, which the query names without an alias, that is credited to no lead.
ORDER_WITHOUT_LEAD = f"""(
	`tabSales Order`.docstatus = 1
	and not exists (
		select 1 from `tabSales Order Item` item join `tabQuotation` q on q.name = item.prevdoc_docname
		left join `tabOpportunity` o on o.name = q.opportunity
		where item.parent = `tabSales Order`.name and (
			(q.quotation_to = 'Lead' and ifnull(q.party_name, '') != '')
			or {LEAD_OF_OPPORTUNITY} is not null
			or (q.quotation_to = 'Prospect' and q.party_name in (select row.parent from `tabProspect Lead` row))
		)
	)
	and not exists (
		select 1 from `tabSales Order Item` item
		join `tabQuotation Item` row on row.parent = item.prevdoc_docname and row.parenttype = 'Quotation'
		join `tabOpportunity` o on o.name = row.prevdoc_docname
		where item.parent = `tabSales Order`.name and {LEAD_OF_OPPORTUNITY} is not null
	)
	and not exists (
		select 1 from `tabCustomer` c left join `tabOpportunity` o on o.name = c.opportunity_name
		where c.name = `tabSales Order`.customer and (
			ifnull(c.lead_name, '') != '' or {LEAD_OF_OPPORTUNITY} is not null
			or c.prospect_name in (select row.parent from `tabProspect Lead` row)
		)
	)
	and `tabSales Order`.name not in {SALES_OF_DELETED}
)"""


# leads of documents


def leads_of_prospects(prospects: Collection[str]) -> dict[str, str]:
	"""Prospect to the lead that is credited with what is made from it."""
	rows = query.run(
		"""
		select row.parent, l.name from `tabProspect Lead` row join `tabLead` l on l.name = row.lead
		where row.parent in %(prospects)s
		order by ifnull(l.lq_verdict, '') = 'Sales Ready', l.creation desc, l.name desc
		""",
		{"prospects": prospects},
	)
	return dict(rows)  # of several, the last stays


def lead_of_opportunity(opportunity: str) -> str | None:
	"""The lead that an Opportunity is credited to, or None if it came from a Customer."""
	rows = query.run(
		f"select {LEAD_OF_OPPORTUNITY} from `tabOpportunity` o where o.name = %s", (opportunity,)
	)
	return rows[0][0] if rows else None


def leads_of_orders(orders: Collection[str]) -> dict[str, list[str]]:
	"""Sales Order to the leads that it is credited to; an order without any is left out."""
	found: dict[str, set[str]] = {}
	prospects: dict[str, set[str]] = {}
	for look in (_by_quotation, _by_rows_of_quotation, _by_customer):
		for order, lead, prospect in look([order for order in orders if order not in found]):
			if lead:
				found.setdefault(order, set()).add(lead)
			elif prospect:
				prospects.setdefault(order, set()).add(prospect)
	_credit_prospects({order: names for order, names in prospects.items() if order not in found}, found)
	return {order: sorted(leads) for order, leads in found.items()}


def _by_quotation(orders: Collection[str]) -> list:
	return query.run(
		f"""
		select distinct item.parent, if(q.quotation_to = 'Lead', q.party_name, {LEAD_OF_OPPORTUNITY}),
			if(q.quotation_to = 'Prospect', q.party_name, null)
		from `tabSales Order Item` item join `tabQuotation` q on q.name = item.prevdoc_docname
		left join `tabOpportunity` o on o.name = q.opportunity
		where item.parent in %(orders)s
		""",
		{"orders": orders},
	)


def _by_rows_of_quotation(orders: Collection[str]) -> list:
	return query.run(
		f"""
		select distinct item.parent, {LEAD_OF_OPPORTUNITY}, null
		from `tabSales Order Item` item
		join `tabQuotation Item` row on row.parent = item.prevdoc_docname and row.parenttype = 'Quotation'
		join `tabOpportunity` o on o.name = row.prevdoc_docname
		where item.parent in %(orders)s
		""",
		{"orders": orders},
	)


def _by_customer(orders: Collection[str]) -> list:
	return query.run(
		f"""
		select so.name, coalesce(nullif(c.lead_name, ''), {LEAD_OF_OPPORTUNITY}), nullif(c.prospect_name, '')
		from `tabSales Order` so join `tabCustomer` c on c.name = so.customer
		left join `tabOpportunity` o on o.name = c.opportunity_name
		where so.name in %(orders)s
		""",
		{"orders": orders},
	)


def _credit_prospects(orders: dict[str, set[str]], found: dict[str, set[str]]):
	"""Add the lead of each order that goes back to prospects: the one that it is logged for, else the one by the
	rule. One that a deleted lead has won stays with that one."""
	if not orders:
		return
	kept = query.run(
		f"select sold.reference_name from {SALES_OF_DELETED} sold where sold.reference_name in %(orders)s",
		{"orders": list(orders)},
		pluck=True,
	)
	orders = {order: names for order, names in orders.items() if order not in kept}
	names = sorted(set().union(*orders.values()))
	logged = query.run(
		"""
		select log.reference_name, log.lead
		from `tabProspect Lead` row join `tabLead Stage Log` log on log.lead = row.lead
		where row.parent in %(prospects)s and log.stage = 'sale' and log.reference_name in %(orders)s
		""",
		{"prospects": names, "orders": list(orders)},
	)
	for order, lead in logged:
		found.setdefault(order, set()).add(lead)
	credited = leads_of_prospects(names)
	for order in orders:
		leads = {credited[prospect] for prospect in orders[order] if prospect in credited}
		if order not in found and leads:
			found[order] = leads


def leads_of_quotation(quotation) -> list[str]:
	"""The leads that a Quotation document counts for as a proposal: its party, and that of its opportunity."""
	named = quotation.party_name if quotation.quotation_to == "Lead" else None
	of_opportunity = lead_of_opportunity(quotation.opportunity) if quotation.opportunity else None
	return [lead for lead in dict.fromkeys((named, of_opportunity)) if lead]


# documents of leads


def first_opportunities(leads: Collection[str]) -> dict[str, frappe._dict]:
	"""Lead to its first Opportunity: `name`, `creation`, `currency`, `value`."""
	rows = query.run(
		"""
		select o.lq_lead as `lead`, o.name, o.creation, o.currency, o.opportunity_amount as value
		from `tabOpportunity` o where o.lq_lead in %(leads)s
		union
		select o.party_name, o.name, o.creation, o.currency, o.opportunity_amount
		from `tabOpportunity` o
		where o.opportunity_from = 'Lead' and o.party_name in %(leads)s and ifnull(o.lq_lead, '') = ''
		order by creation desc, name desc
		""",
		{"leads": leads},
		as_dict=True,
	)
	return {row.lead: row for row in rows}  # of several, the last stays


def first_orders(leads: Collection[str]) -> dict[str, frappe._dict]:
	"""Lead to its first submitted Sales Order: `name`, `creation`, `currency`, `value`."""
	return _first_of(leads, orders_of(leads))


def _first_of(leads: Collection[str], orders: list[str]) -> dict[str, frappe._dict]:
	credited = leads_of_orders(orders)
	rows = query.run(
		"""
		select name, creation, currency, grand_total as value from `tabSales Order`
		where name in %(orders)s order by creation desc, name desc
		""",
		{"orders": list(credited)},
		as_dict=True,
	)
	wanted = set(leads)
	return {lead: row for row in rows for lead in credited[row.name] if lead in wanted}


def orders_of(leads: Collection[str]) -> list[str]:
	"""Submitted Sales Orders that may be credited to these leads; `leads_of_orders` says which are."""
	opportunities = opportunities_of(leads)
	prospects = prospects_of(leads)
	# joined, as MariaDB would look through all orders for a union within `in (…)`
	return query.run(
		"""
		select so.name from (
			select name from `tabQuotation` where quotation_to = 'Lead' and party_name in %(leads)s
			union
			select name from `tabQuotation` where quotation_to = 'Prospect' and party_name in %(prospects)s
			union
			select name from `tabQuotation` where opportunity in %(opportunities)s
			union
			select parent from `tabQuotation Item` where prevdoc_docname in %(opportunities)s
		) q
		join `tabSales Order Item` item on item.prevdoc_docname = q.name
		join `tabSales Order` so on so.name = item.parent and so.docstatus = 1
		union
		select so.name from (
			select name from `tabCustomer` where lead_name in %(leads)s
			union
			select name from `tabCustomer` where opportunity_name in %(opportunities)s
			union
			select name from `tabCustomer` where prospect_name in %(prospects)s
		) c
		join `tabSales Order` so on so.customer = c.name and so.docstatus = 1
		""",
		{"leads": leads, "opportunities": opportunities, "prospects": prospects},
		pluck=True,
	)


def opportunities_of(leads: Collection[str]) -> list[str]:
	"""Names of the Opportunities that are credited to these leads."""
	return query.run(
		"""
		select name from `tabOpportunity` where lq_lead in %(leads)s
		union
		select name from `tabOpportunity`
		where opportunity_from = 'Lead' and party_name in %(leads)s and ifnull(lq_lead, '') = ''
		""",
		{"leads": leads},
		pluck=True,
	)


def prospects_of(leads: Collection[str]) -> list[str]:
	"""Names of the Prospects that these leads belong to."""
	return query.run(
		"select distinct parent from `tabProspect Lead` where lead in %(leads)s",
		{"leads": leads},
		pluck=True,
	)


def first_conversations(leads: Collection[str], two_way: Collection[str]) -> dict[str, frappe._dict]:
	"""Lead to its first touch in which it answered: `name`, `creation` (when it was made).

	:param two_way: the outcomes that say so.
	"""
	rows = query.run(
		"""
		select `lead`, name, done_at as creation from `tabLead Touch`
		where `lead` in %(leads)s and status = 'Done' and outcome in %(two_way)s
		order by done_at desc, name desc
		""",
		{"leads": leads, "two_way": two_way},
		as_dict=True,
	)
	return {row.lead: row for row in rows}


def customers_of(leads: Collection[str], opportunities: Collection[str]) -> dict[str, str]:
	"""Lead to a Customer that was made from it: that names it, an opportunity of it, or a prospect for which it is
	credited.

	:param opportunities: the `opportunities_of` these leads.
	"""
	rows = query.run(
		f"""
		select c.lead_name, null, c.name from `tabCustomer` c where c.lead_name in %(leads)s
		union
		select {LEAD_OF_OPPORTUNITY}, null, c.name from `tabOpportunity` o
		join `tabCustomer` c on c.opportunity_name = o.name where o.name in %(opportunities)s
		union
		select null, c.prospect_name, c.name from `tabCustomer` c where c.prospect_name in %(prospects)s
		""",
		{"leads": leads, "opportunities": opportunities, "prospects": prospects_of(leads)},
	)
	credited = leads_of_prospects({prospect for _lead, prospect, _customer in rows if prospect})
	wanted = set(leads)
	named = ((lead or credited.get(prospect), customer) for lead, prospect, customer in rows)
	return {lead: customer for lead, customer in named if lead in wanted}


def leads_of_customer(customer) -> list[str]:
	"""The leads that a Customer (a document or a row) was made from.

	:param customer: with `lead_name`, `opportunity_name` and `prospect_name`.
	"""
	lead = customer.get("lead_name")
	if not lead and customer.get("opportunity_name"):
		lead = lead_of_opportunity(customer.get("opportunity_name"))
	if not lead and customer.get("prospect_name"):
		lead = leads_of_prospects([customer.get("prospect_name")]).get(customer.get("prospect_name"))
	return [lead] if lead else []
