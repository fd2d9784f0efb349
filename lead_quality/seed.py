"""What a new site starts with. Made once, on install; from then on it belongs to the site's people."""

import frappe
from frappe.utils import get_system_timezone

CALENDAR = "Office Hours"
POLICY = "Standard Follow Up"

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

BANT = [
	{
		"criterion": "budget",
		"label": "What is the budget?",
		"topic": "Budget",
		"answer_type": "Number",
		"guidance": "Ask for the amount set aside, or what a comparable purchase has cost before.",
	},
	{
		"criterion": "authority",
		"label": "Who decides?",
		"topic": "Authority",
		"answer_type": "Select",
		"options": "Decision Maker\nInfluencer\nUser\nGatekeeper\nUnknown",
		"pass_operator": "in",
		"pass_value": "Decision Maker, Influencer",
		"guidance": "Ask who else has to agree, and how such purchases were decided before.",
	},
	{
		"criterion": "need",
		"label": "Why do they need it?",
		"topic": "Need",
		"answer_type": "Text",
		"guidance": "In the lead's own words. A need without words is not a need.",
	},
	{
		"criterion": "timescale",
		"label": "When do they need it by?",
		"topic": "Timescale",
		"answer_type": "Date",
		"guidance": "The date by which it has to work for them.",
	},
]

INBOUND_STEPS = [
	{
		"step": "First call",
		"channel": "Phone",
		"anchor": "Enrollment",
		"delay": 30,
		"delay_unit": "Minutes",
		"script": "You asked about … What made you look for it now?",
	},
	{
		"step": "Introduction by e-mail",
		"channel": "Email",
		"delay": 2,
		"delay_unit": "Working Hours",
		"script": "One page on how companies like theirs solved it, and one question.",
	},
	{
		"step": "Voicemail",
		"channel": "Voicemail",
		"delay": 1,
		"delay_unit": "Working Days",
		"script": "Name, one sentence on why, and when you will call again.",
	},
	{
		"step": "LinkedIn invitation",
		"channel": "LinkedIn",
		"delay": 2,
		"delay_unit": "Working Days",
		"script": "Refer to the voicemail. No pitch.",
	},
	{
		"step": "Second call",
		"channel": "Phone",
		"delay": 2,
		"delay_unit": "Working Days",
		"script": "Ask the four questions: budget, authority, need, timescale.",
	},
	{
		"step": "Case by e-mail",
		"channel": "Email",
		"delay": 4,
		"delay_unit": "Working Days",
		"script": "A customer of their trade, with figures.",
	},
	{
		"step": "Last call",
		"channel": "Phone",
		"delay": 5,
		"delay_unit": "Working Days",
		"script": "Decide together: go on now, later, or not at all.",
	},
]

TARGETS = [
	{"clock": "Triage", "within": 8, "unit": "Working Hours"},
	{"clock": "First Response", "within": 2, "unit": "Working Hours"},
	{"clock": "Next Touch", "within": 1, "unit": "Working Days"},
	{"clock": "Handover Acceptance", "within": 8, "unit": "Working Hours"},
	{"clock": "First Touch After Acceptance", "within": 8, "unit": "Working Hours"},
]

# title, priority, sources; ERPNext's own list of lead sources, in groups that want different treatment
SEGMENTS = [
	("Existing Customers", 10, "Existing Customer"),
	("Referrals", 20, "Reference, Supplier Reference, Customer's Vendor"),
	("Events", 30, "Exhibition"),
	("Outbound", 40, "Cold Calling, Mass Mailing"),
	("Inbound", 50, "Advertisement, Campaign, Walk In, Website"),
	("Other Leads", 100, ""),
]

# applies to, reason, proposes nurture
REASONS = [
	("Disqualify", "No need for what we sell", 0),
	("Disqualify", "Too small for us", 0),
	("Disqualify", "Not a buyer (student, competitor, consultant)", 0),
	("Disqualify", "Wrong contact data", 0),
	("Disqualify", "Not this year", 1),
	("Reject", "Does not meet the definition", 0),
	("Reject", "Not a decision maker", 1),
	("Reject", "No budget yet", 1),
	("Reject", "Duplicate of a lead in work", 0),
	("Return", "Cannot be reached", 1),
	("Return", "Decision postponed", 1),
	("Return", "Bought elsewhere", 0),
	("Stop Early", "Asked us to stop", 0),
	("Stop Early", "Already in talks with sales", 0),
	("Stop Early", "Company closed", 0),
	("Snooze", "Asked for a later call", 1),
	("Snooze", "On holiday", 1),
	("Override", "Strategic account", 0),
	("Override", "Repeat customer", 0),
]


def make():
	"""Make what is not there yet; records of the same name are left as they are."""
	calendar = _make(
		"Working Calendar",
		CALENDAR,
		title=CALENDAR,
		time_zone=get_system_timezone(),
		hours=[{"weekday": day, "opens": "09:00:00", "closes": "17:00:00"} for day in WEEKDAYS],
	)
	for applies_to, reason, proposes_nurture in REASONS:
		_make(
			"Lead Outcome Reason",
			f"{applies_to}: {reason}",
			applies_to=applies_to,
			reason=reason,
			proposes_nurture=proposes_nurture,
		)
	checklist = _make(
		"Qualification Checklist",
		"BANT v1",
		title="BANT",
		status="Active",
		pass_rule="All",
		criteria=BANT,
		description="Budget, authority, need and timescale are known and right.",
	)
	cadence = _make(
		"Nurture Cadence",
		"Inbound in Seven Touches v1",
		title="Inbound in Seven Touches",
		status="Active",
		working_calendar=calendar,
		steps=INBOUND_STEPS,
		min_touches=7,
	)
	policy = _make("Follow Up Policy", POLICY, title=POLICY, working_calendar=calendar, targets=TARGETS)
	for title, priority, sources in SEGMENTS:
		_make(
			"Lead Segment",
			title,
			title=title,
			priority=priority,
			enabled=1,
			rules=[{"field": "source", "operator": "in", "value": sources}] if sources else [],
			checklist=checklist,
			cadence=cadence,
			follow_up_policy=policy,
		)


def set_time_zone():
	"""Give the seeded calendar the site's zone, if nobody has edited the calendar since the install."""
	row = frappe.db.get_value("Working Calendar", CALENDAR, ["creation", "modified"], as_dict=True)
	if row and row.creation == row.modified:
		frappe.db.set_value("Working Calendar", CALENDAR, "time_zone", get_system_timezone())


def _make(doctype: str, name: str, **values) -> str:
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)
	return name
