"""Which index of ours on Lead serves which query. Each costs something at every save of a lead, so there are no others."""

import frappe
import pytest

# column to a query that is found or ordered by its index
SERVES = {
	# the card Leads Overdue, and the list by deadline
	"lq_due_at": "lq_due_at < now()",
	# the lists of leads to call next
	"lq_next_touch_at": "lq_next_touch_at < now()",
	# cards and lists of leads in one state
	"lq_verdict": "lq_verdict = 'Sales Ready'",
	"lq_stage": "lq_stage = 'opportunity'",
	"lq_segment": "lq_segment = 'Referrals'",
	"lq_handover_status": "lq_handover_status = 'Rejected'",
	# leads that have ended, and whether they should have: `funnel.endings`
	"lq_over": "lq_over = 'Lost'",
	# the jobs on old leads
	"lq_waits": "lq_waits = 1",
	"lq_history_unread": "lq_history_unread = 1",
	# the same person again: duplicates, opt-outs, calls and mail
	"lq_phone_key": "lq_phone_key = '+491701234567'",
	"lq_mobile_key": "lq_mobile_key = '+491701234567'",
	"lq_whatsapp_key": "lq_whatsapp_key = '+491701234567'",
	"lq_mailbox": "lq_mailbox = 'anna@example.com'",
}
# the list offers to sort by these
SORTED_BY = {"lq_met_count", "lq_priority"}


def indexed() -> set[str]:
	rows = frappe.db.sql("show index from `tabLead` where column_name like 'lq\\_%'", as_dict=True)
	return {row.Column_name for row in rows}


def test_a_lead_has_no_index_of_ours_that_no_query_needs():
	assert indexed() == {*SERVES, *SORTED_BY}


@pytest.mark.parametrize("column", SERVES)
def test_each_index_of_a_lead_can_serve_its_query(column):
	(plan,) = frappe.db.sql(f"explain select name from `tabLead` where {SERVES[column]}", as_dict=True)
	assert f"{column}_index" in (plan.possible_keys or "")
