"""What a new site starts with. Made once, on install; from then on it belongs to the site's people."""

import frappe
from frappe.utils import get_system_timezone

from lead_quality.qualification.definitions import clear_caches

CALENDAR = "Office Hours"
POLICY = "Standard Follow Up"

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

ROLES = "Decision Maker\nInfluencer\nUser\nGatekeeper\nUnknown"

BANT = [
	{
		"criterion": "budget",
		"label": "What is the budget?",
		"topic": "Budget",
		"answer_type": "Number",
		"guidance": "The amount set aside, or what a comparable purchase has cost before.",
		"guidance_phone": "Have you put an amount aside for this, or would it have to be found?",
		"guidance_web_form": "What budget have you planned?",
		"guidance_chat": "Roughly, what budget do you have in mind?",
		"guidance_trade_show": "Is there a budget for this already?",
	},
	{
		"criterion": "authority",
		"label": "Who decides?",
		"topic": "Authority",
		"answer_type": "Select",
		"options": ROLES,
		"pass_operator": "in",
		"pass_value": "Decision Maker, Influencer",
		"per_contact": 1,
		"guidance": "What part each person has in the purchase. Ask who else has to agree.",
		"guidance_phone": "Who besides you is part of the decision, and how was it made the last time?",
		"guidance_web_form": "What is your part in the decision?",
		"guidance_chat": "Are you choosing this yourself, or for someone else?",
		"guidance_trade_show": "Who decides about this in your company?",
	},
	{
		"criterion": "need",
		"label": "Why do they need it?",
		"topic": "Need",
		"answer_type": "Text",
		"guidance": "In the lead's own words. A need without words is not a need.",
		"guidance_phone": "What made you look for it now? What happens if you do nothing?",
		"guidance_web_form": "What do you want to solve?",
		"guidance_chat": "What are you trying to get done?",
		"guidance_trade_show": "What brought you to our stand?",
	},
	{
		"criterion": "timescale",
		"label": "When do they need it by?",
		"topic": "Timescale",
		"answer_type": "Date",
		"guidance": "The date by which it has to work for them.",
		"guidance_phone": "By when does it have to be running? What depends on that date?",
		"guidance_web_form": "When do you need it?",
		"guidance_chat": "When would you like to start?",
		"guidance_trade_show": "When do you want to decide?",
	},
]

# The ten attributes of a short-term lead, in the order of the article that lists them.
TEN_ATTRIBUTES = [
	("industry", "Is the industry (SIC or NAICS) one that we sell to?", "Industry", "industry"),
	("firmographics", "Are revenue, employees and locations known, and do they fit?", "Firmographics", None),
	("people", "Are the decision makers and influencers identified?", "Authority", None),
	("environment", "Is it known what they work with today?", "Environment", None),
	("decision_maker_engaged", "Has a decision maker been engaged?", "Authority", None),
	("pains", "Are their pains uncovered and validated?", "Need", None),
	("decision_process", "Are decision process and timeframe known?", "Timescale", None),
	("budget", "Is a budget allocated, or is there a process for it?", "Budget", None),
	("competition", "Is the competitive landscape known?", "Competition", None),
	("urgency", "Is there urgency or a compelling event?", "Urgency", None),
]

IDEAL_CUSTOMER = [
	{
		"criterion": "industry",
		"label": "Which industry are they in?",
		"topic": "Industry",
		"answer_type": "Text",
		"lead_field": "industry",
		"guidance": "Narrow it with Met When, such as: in, Manufacturing, Automotive.",
	},
	{
		"criterion": "employees",
		"label": "How many people work there?",
		"topic": "Firmographics",
		"answer_type": "Select",
		"options": "1-10\n11-50\n51-200\n201-500\n501-1000\n1000+",
		"pass_operator": "not in",
		"pass_value": "1-10",
		"guidance": "Leave out what is smaller than the profile. Not taken from the lead: ERPNext writes 1-10 there by itself.",
	},
	{
		"criterion": "revenue",
		"label": "What is the annual revenue?",
		"topic": "Firmographics",
		"answer_type": "Number",
		"lead_field": "annual_revenue",
	},
	{
		"criterion": "territory",
		"label": "Which territory are they in?",
		"topic": "Territory",
		"answer_type": "Text",
		"lead_field": "territory",
	},
	{
		"criterion": "reachable",
		"label": "Can we reach them?",
		"topic": "Reachability",
		"lead_field": "reachable",
		"guidance": "A well-formed phone number, or an e-mail address from which no mail has come back.",
	},
]

# the criteria above whose answer is an amount of money
MONEY = (("BANT v1", "budget"), ("Ideal Customer Profile v1", "revenue"))

TRADE_SHOW = [
	{
		"criterion": "role",
		"label": "What is your part in the decision?",
		"topic": "Authority",
		"answer_type": "Select",
		"options": "Decision Maker\nInfluencer\nUser\nStudent\nConsultant\nUnknown",
		"pass_operator": "in",
		"pass_value": "Decision Maker, Influencer, User",
		"guidance_trade_show": "What do you do in your company?",
	},
	{
		"criterion": "interest",
		"label": "What did they come to see?",
		"topic": "Need",
		"answer_type": "Text",
		"guidance_trade_show": "What brought you to our stand?",
	},
	{
		"criterion": "decision_by",
		"label": "When will they decide?",
		"topic": "Timescale",
		"answer_type": "Select",
		"options": "Within 3 months\nWithin a year\nLater\nUnknown",
		"guidance_trade_show": "When do you want to decide?",
	},
	{
		"criterion": "follow_up_agreed",
		"label": "Did they agree to a call?",
		"topic": "Next Step",
		"guidance_trade_show": "May we call you next week?",
	},
]
NOT_A_BUYER = "Disqualify: Not a buyer (student, competitor, consultant)"
# for these a lead leaves the counts
UNCOUNTED = {
	NOT_A_BUYER,
	"Disqualify: Duplicate or test",
	"Disqualify: Already a customer",
}
TRADE_SHOW_RULES = [
	{
		"criterion": "role",
		"operator": "in",
		"value": "Student, Consultant",
		"verdict": "Disqualified",
		"outcome_reason": NOT_A_BUYER,
	},
	{
		"criterion": "decision_by",
		"operator": "=",
		"value": "Later",
		"verdict": "Nurture",
		"outcome_reason": "Disqualify: Not this year",
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

# applies to, reason, proposes nurture, topic of the criterion that fails
REASONS = [
	("Disqualify", "No need for what we sell", 0, "Need"),
	("Disqualify", "Too small for us", 0, "Firmographics"),
	("Disqualify", "Not a buyer (student, competitor, consultant)", 0),
	("Disqualify", "Wrong contact data", 0, "Reachability"),
	("Disqualify", "Unreachable", 1, "Reachability"),
	("Disqualify", "No show", 1),
	("Disqualify", "Duplicate or test", 0),
	("Disqualify", "Already a customer", 0),
	("Disqualify", "Not this year", 1, "Timescale"),
	("Disqualify", "No budget yet", 1, "Budget"),
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
	make_reasons()
	checklist = make_checklists()
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


def make_reasons(only: set[str] | None = None):
	for applies_to, reason, proposes_nurture, *topic in REASONS:
		if only and (applies_to != "Disqualify" or reason not in only):
			continue
		name = f"{applies_to}: {reason}"
		_make(
			"Lead Outcome Reason",
			name,
			applies_to=applies_to,
			reason=reason,
			proposes_nurture=proposes_nurture,
			topic=topic[0] if topic else None,
			non_buyer=int(name in UNCOUNTED),
		)


def make_checklists() -> str:
	"""BANT, which every segment starts with, and three more to choose from. Returns the name of the first."""
	bant = _make(
		"Qualification Checklist",
		"BANT v1",
		title="BANT",
		status="Active",
		pass_rule="All",
		criteria=BANT,
		description="Budget, authority, need and timescale are known and right.",
	)
	_make(
		"Qualification Checklist",
		"Ten Attributes v1",
		title="Ten Attributes",
		status="Active",
		pass_rule="At Least",
		at_least=6,
		criteria=[
			{
				"criterion": key,
				"label": label,
				"topic": topic,
				"answer_type": "Text" if field else "Check",
				"lead_field": field,
			}
			for key, label, topic, field in TEN_ATTRIBUTES
		],
		description="The ten attributes of a short-term lead. How many are enough is for both of you to agree.",
	)
	_make(
		"Qualification Checklist",
		"Ideal Customer Profile v1",
		title="Ideal Customer Profile",
		status="Active",
		pass_rule="At Least",
		at_least=4,
		criteria=IDEAL_CUSTOMER,
		description="A start: the lead's own data answer it. Make a new version and narrow each criterion.",
	)
	_make(
		"Qualification Checklist",
		"Trade Show Survey v1",
		title="Trade Show Survey",
		status="Active",
		pass_rule="All",
		criteria=TRADE_SHOW,
		rules=TRADE_SHOW_RULES,
		description="Four questions for the stand. Students and consultants are left out, late deciders nurtured.",
	)
	set_currency()
	return bant


def set_currency():
	"""Ask for the seeded amounts in the site's currency, where nobody has edited the checklist since the install."""
	for checklist, criterion in MONEY:
		row = frappe.db.get_value(
			"Qualification Checklist", checklist, ["creation", "modified"], as_dict=True
		)
		if row and row.creation == row.modified:
			frappe.db.set_value(
				"Qualification Criterion",
				{"parent": checklist, "criterion": criterion},
				"amount_currency",
				frappe.defaults.get_global_default("currency"),
			)
			frappe.clear_document_cache("Qualification Checklist", checklist)
			clear_caches()


def set_time_zone():
	"""Give the seeded calendar the site's zone, if nobody has edited the calendar since the install."""
	row = frappe.db.get_value("Working Calendar", CALENDAR, ["creation", "modified"], as_dict=True)
	if row and row.creation == row.modified:
		frappe.db.set_value("Working Calendar", CALENDAR, "time_zone", get_system_timezone())


def _make(doctype: str, name: str, **values) -> str:
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)
	return name
