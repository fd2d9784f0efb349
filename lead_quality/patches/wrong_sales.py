"""For sites where a Customer or a Quotation that names an Opportunity without a name made leads a sale.

Such an order was logged for leads that had no Opportunity at all, with somebody else's value.
"""

import frappe

from lead_quality.base import query
from lead_quality.funnel import credit, summary

CHUNK = 1_000


def execute():
	rows = query.run(
		"""
		select log.name, log.lead, log.reference_name as `order`
		from `tabLead Stage Log` log join `tabSales Order` so on so.name = log.reference_name
		where log.stage = 'sale' and log.reference_doctype = 'Sales Order' and (
			exists (select 1 from `tabCustomer` c where c.name = so.customer and c.opportunity_name = '')
			or exists (
				select 1 from `tabSales Order Item` item join `tabQuotation` q on q.name = item.prevdoc_docname
				where item.parent = so.name and q.opportunity = ''
			)
		)
		order by log.name
		""",
		as_dict=True,
	)
	for start in range(0, len(rows), CHUNK):
		_take_back(rows[start : start + CHUNK])


def _take_back(rows: list):
	credited = credit.leads_of_orders({row.order for row in rows})
	wrong = [row for row in rows if row.lead not in credited.get(row.order, ())]
	for row in wrong:
		frappe.db.delete("Lead Stage Log", {"name": row.name})
	summary.rebuild_stages([row.lead for row in wrong])
