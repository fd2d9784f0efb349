"""The one list of what the app adds to ERPNext's DocTypes. Install, migrate and uninstall all use it."""

STAGE_OPTIONS = "\ntarget\nprospect\nopportunity\nsale"
HANDOVER_OPTIONS = "\nSent\nAccepted\nRejected\nReturned\nPulled Back"
NOTICE_OPTIONS = "Bell and E-mail\nBell Only\nOff"
READ_AS_OPTIONS = "\nPerson\nAutomatic\nBounce"
OVER_OPTIONS = "\nConverted\nLost\nDisqualified\nNo Contact"
VERDICT_OPTIONS = "\nOpen\nSales Ready\nNurture\nDisqualified"
# what *Customize Form* changes of a field: shipped once, the site's own from then on
SITES_OWN = frozenset(
	"label insert_after hidden bold collapsible columns default in_list_view in_standard_filter print_hide report_hide".split()
)
# a field with this condition is never on the form
IN_LISTS_ONLY = "eval:false"


def _summary_field(fieldname: str, label: str, fieldtype: str, insert_after: str, **more) -> dict:
	return {
		"fieldname": fieldname,
		"label": label,
		"fieldtype": fieldtype,
		"insert_after": insert_after,
		"read_only": 1,
		"no_copy": 1,
		"module": "Lead Quality",
		**more,
	}


def _section(fieldname: str, insert_after: str) -> dict:
	return _summary_field(fieldname, "Lead Quality", "Section Break", insert_after, collapsible=1)


def _key_field(fieldname: str, label: str, insert_after: str) -> dict:
	"""How a number or an address of a lead is looked for."""
	return _summary_field(
		fieldname, label, "Data", insert_after, search_index=1, hidden=1, print_hide=1, report_hide=1
	)


def _notice_field(fieldname: str, label: str, insert_after: str) -> dict:
	return {
		"fieldname": fieldname,
		"label": label,
		"fieldtype": "Select",
		"options": NOTICE_OPTIONS,
		"default": "Bell and E-mail",
		"insert_after": insert_after,
		"module": "Lead Quality",
	}


CUSTOM_FIELDS = {
	"Lead": [
		# Before what else is in the list, which has room for the first columns only. The form says both in its panel.
		_summary_field(
			"lq_due_at",
			"Due",
			"Datetime",
			"lead_name",
			search_index=1,
			in_list_view=1,
			depends_on=IN_LISTS_ONLY,
		),
		_summary_field(
			"lq_verdict",
			"Verdict",
			"Select",
			"lq_due_at",
			options=VERDICT_OPTIONS,
			search_index=1,
			in_list_view=1,
			in_standard_filter=1,
			depends_on=IN_LISTS_ONLY,
		),
		_section("lq_section", "qualified_on"),
		_summary_field(
			"lq_stage",
			"Stage",
			"Select",
			"lq_section",
			options=STAGE_OPTIONS,
			search_index=1,
			in_standard_filter=1,
		),
		_summary_field(
			"lq_segment",
			"Segment",
			"Link",
			"lq_stage",
			options="Lead Segment",
			search_index=1,
			in_standard_filter=1,
		),
		_summary_field("lq_column_break", "", "Column Break", "lq_segment"),
		# an index that no query needs costs every save; 0 takes it from a site that has it: see tests/site/test_indexes.py
		# bold: the list then offers to sort by it
		_summary_field("lq_met_count", "Criteria Met", "Int", "lq_column_break", search_index=1, bold=1),
		_summary_field("lq_criteria_count", "Criteria", "Int", "lq_met_count", search_index=0),
		# bold: the list then offers to sort by it
		_summary_field(
			"lq_priority",
			"Priority",
			"Int",
			"lq_criteria_count",
			search_index=1,
			bold=1,
			description="0 to 100: so many of 100 past leads were less likely to buy. Where nothing could be learned yet, the share of criteria met.",
		),
		_summary_field(
			"lq_handover_status",
			"Handover",
			"Select",
			"lq_priority",
			options=HANDOVER_OPTIONS,
			search_index=1,
			in_standard_filter=1,
		),
		_summary_field("lq_next_touch_at", "Next Touch", "Datetime", "lq_handover_status", search_index=1),
		_summary_field("lq_last_touch_at", "Last Touch", "Datetime", "lq_next_touch_at", search_index=0),
		_summary_field(
			"lq_waits",
			"Waits for a Decision",
			"Check",
			"lq_last_touch_at",
			search_index=1,
		),
		_summary_field("lq_non_buyer", "Not a Buyer", "Check", "lq_last_touch_at", search_index=0),
		# what was done with it before the app came is still to be read in: see `nurture.history`
		_summary_field(
			"lq_history_unread",
			"History Not Read Yet",
			"Check",
			"lq_non_buyer",
			search_index=1,
			hidden=1,
			print_hide=1,
			report_hide=1,
		),
		_key_field("lq_phone_key", "International Number (Phone)", "lq_non_buyer"),
		_key_field("lq_mobile_key", "International Number (Mobile)", "lq_phone_key"),
		_key_field("lq_whatsapp_key", "International Number (WhatsApp)", "lq_mobile_key"),
		_key_field("lq_mailbox", "Mailbox", "lq_whatsapp_key"),
		# why nothing goes on any more, and since when: see `funnel.endings`
		_summary_field("lq_over", "Over", "Select", "lq_non_buyer", options=OVER_OPTIONS, search_index=1),
		_summary_field("lq_over_at", "Over Since", "Datetime", "lq_over"),
		{
			"fieldname": "lq_hidden_reason",
			"label": "Reason for Hiding",
			"description": "Asked for where a lead with open deadlines, or on a cadence, is disabled or given a status that no document proves. Such a lead stays in the report Leads at Risk as Hidden.",
			"fieldtype": "Small Text",
			"insert_after": "lq_over_at",
			"no_copy": 1,
			"module": "Lead Quality",
		},
	],
	"Opportunity": [
		_section("lq_section", "probability"),
		_summary_field("lq_segment", "Segment", "Link", "lq_section", options="Lead Segment", search_index=1),
		_summary_field("lq_lead", "Credited to Lead", "Link", "lq_segment", options="Lead", search_index=1),
		_summary_field("lq_column_break", "", "Column Break", "lq_lead"),
		_summary_field(
			"lq_verdict",
			"Verdict when made",
			"Select",
			"lq_column_break",
			options=VERDICT_OPTIONS,
			search_index=1,
			in_standard_filter=1,
		),
	],
	# what a message that came in was read as, from headers that Frappe does not keep
	"Communication": [
		_summary_field(
			"lq_read_as",
			"Read As",
			"Select",
			"email_status",
			options=READ_AS_OPTIONS,
			description="Whether a person wrote it, a machine answered, or a mail of ours came back.",
			depends_on="lq_read_as",
		),
		_summary_field("lq_back_on", "Back On", "Date", "lq_read_as", depends_on="lq_back_on"),
		_summary_field(
			"lq_has_left", "Does Not Work There Any More", "Check", "lq_back_on", depends_on="lq_has_left"
		),
	],
	"Notification Settings": [
		{
			"fieldname": "lq_section",
			"label": "Lead Quality",
			"fieldtype": "Section Break",
			"insert_after": "enable_email_threads_on_assigned_document",
			"module": "Lead Quality",
		},
		_notice_field("lq_notify_warning", "Deadlines About to Be Missed", "lq_section"),
		_notice_field("lq_notify_missed", "Deadlines Missed", "lq_notify_warning"),
		_notice_field("lq_notify_escalation", "Escalations of Other Users' Leads", "lq_notify_missed"),
		{
			"fieldname": "lq_column_break",
			"label": "",
			"fieldtype": "Column Break",
			"insert_after": "lq_notify_escalation",
			"module": "Lead Quality",
		},
		_notice_field("lq_notify_unattended", "Leads Without Owner, Next Step, or Touch", "lq_column_break"),
		_notice_field("lq_notify_handover", "Handovers and Agreements", "lq_notify_unattended"),
	],
}

# Look-ups that ERPNext makes at every save of a lead, and that the app makes to find a lead's events, quotations and
# customers, on columns that neither ERPNext nor Frappe index.
INDEXES = (
	("Opportunity", "party_name"),
	("Customer", "lead_name"),
	("Customer", "opportunity_name"),
	("Customer", "prospect_name"),
	("Quotation", "opportunity"),
	("Quotation Item", "prevdoc_docname"),
	("Event Participants", "reference_docname"),
	("Event", "reference_docname"),
)

# what the hourly look asks for changes since the last one; v16 does not index that by itself any more
ASKED_FOR_CHANGES = (
	"Lead",
	"Opportunity",
	"Quotation",
	"Sales Order",
	"Lead Stage Log",
	"Lead Touch",
	"Lead Handover",
	"Lead Qualification",
	"Follow Up Clock",
)
INDEX_OF_CHANGES = "lq_modified"

LEAD_SUMMARY = tuple(
	field["fieldname"]
	for field in CUSTOM_FIELDS["Lead"]
	if field["fieldtype"] not in {"Section Break", "Column Break"} and field.get("read_only")
)
