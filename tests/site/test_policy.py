"""A Follow Up Policy is refused while it says something that could not come true."""

import frappe
import pytest

from lead_quality.demo.factories import make_user

NURTURE = "Disqualify: Not this year"
AT_ONCE = {"clock": "First Response", "after": 0, "unit": "Working Hours", "action": "Notify Manager"}


@pytest.fixture
def boss():
	return make_user("anna.policy@example.com", "Sales Manager", first_name="Anna").name


@pytest.fixture
def save(boss):
	"""`save(step, …)` makes a policy with this ladder; keywords are fields of the policy."""

	def make(*ladder: dict, **values):
		policy = {
			"doctype": "Follow Up Policy",
			"title": f"Policy {frappe.generate_hash(length=6)}",
			"working_calendar": "Office Hours",
			"targets": [{"clock": "First Response", "within": 2, "unit": "Working Hours"}],
			"escalations": list(ladder),
			"escalate_to": boss,
		}
		return frappe.get_doc({**policy, **values}).insert(ignore_permissions=True)

	return make


def target(**values) -> dict:
	return {"clock": "First Response", "within": 2, "unit": "Working Hours", **values}


def make_rule(document_type: str, user: str) -> str:
	rule = frappe.get_doc(
		{
			"doctype": "Assignment Rule",
			"name": f"Rule for {document_type}",
			"document_type": document_type,
			"description": "Escalated",
			"assign_condition": "False",
			"rule": "Round Robin",
			"users": [{"user": user}],
			"assignment_days": [{"day": "Monday"}],
		}
	)
	return rule.insert(ignore_permissions=True).name


@pytest.mark.parametrize("percent", [0, -5, 101])
def test_a_warning_outside_the_time_of_the_clock_is_refused(save, percent):
	with pytest.raises(frappe.ValidationError, match="Row 1: warn at 1 to 100 percent"):
		save(targets=[target(warn_at_percent=percent)])


@pytest.mark.parametrize("percent", [1, 75, 100])
def test_a_warning_within_the_time_of_the_clock_is_kept(save, percent):
	assert save(targets=[target(warn_at_percent=percent)]).targets[0].warn_at_percent == percent


def test_a_target_that_says_nothing_of_a_warning_warns_at_three_quarters(save):
	assert save().targets[0].warn_at_percent == 75


@pytest.mark.parametrize("within", [0, -1, None])
def test_a_clock_without_time_is_refused(save, within):
	with pytest.raises(frappe.ValidationError, match="enter a time limit"):
		save(targets=[target(within=within)])


@pytest.mark.parametrize("unit", ["Minutes", "Hours", "Working Hours", "Days", "Working Days"])
def test_a_time_of_more_than_ten_years_is_refused(save, unit):
	"""It would keep every new lead of the segment from being saved."""
	with pytest.raises(frappe.ValidationError, match="Row 1: this is more than ten years"):
		save(targets=[target(within=99_999_999_999, unit=unit)])
	with pytest.raises(frappe.ValidationError, match="Escalations, row 1: this is more than ten years"):
		save({**AT_ONCE, "after": 99_999_999_999, "unit": unit})


@pytest.mark.parametrize(
	("rows", "words"),
	[
		([("Monday", "09:00", "13:00"), ("Monday", "12:00", "17:00")], "Row 2: the hours of .* of row 1"),
		(
			[("Monday", "09:00", "13:00"), ("Tuesday", "17:00", "09:00")],
			"Row 2: on .* it closes before it opens",
		),
	],
)
def test_opening_hours_that_cannot_be_name_their_row(rows, words):
	hours = [dict(zip(("weekday", "opens", "closes"), row, strict=True)) for row in rows]
	calendar = {"doctype": "Working Calendar", "title": "Odd Hours", "time_zone": "Europe/Berlin"}
	with pytest.raises(frappe.ValidationError, match=words):
		frappe.get_doc({**calendar, "hours": hours}).insert(ignore_permissions=True)


def test_a_clock_that_is_there_twice_is_refused(save):
	with pytest.raises(frappe.ValidationError, match="is listed twice"):
		save(targets=[target(), target(within=4)])


def test_a_step_before_the_deadline_is_refused(save):
	with pytest.raises(frappe.ValidationError, match="row 1: enter a time of 0 or more after the deadline"):
		save({**AT_ONCE, "after": -1})


@pytest.mark.parametrize(
	("action", "label"),
	[("Notify Role", "Role"), ("Reassign", "Assignment Rule"), ("Recycle", "Reason")],
)
def test_an_action_that_needs_more_is_refused_without_it(save, action, label):
	with pytest.raises(frappe.MandatoryError, match=f"{action} needs a value in .*{label}"):
		save({**AT_ONCE, "action": action})


def test_a_lead_is_reassigned_only_by_a_rule_for_leads(save, boss):
	wrong, right = make_rule("Opportunity", boss), make_rule("Lead", boss)
	with pytest.raises(frappe.ValidationError, match="is not for leads"):
		save({**AT_ONCE, "action": "Reassign", "assignment_rule": wrong})
	policy = save({**AT_ONCE, "action": "Reassign", "assignment_rule": right})
	assert policy.escalations[0].assignment_rule == right


@pytest.mark.parametrize("reason", ["Disqualify: No need for what we sell", "Return: Decision postponed"])
def test_a_lead_is_recycled_only_for_a_reason_that_proposes_nurturing(save, reason):
	with pytest.raises(frappe.ValidationError, match="choose an enabled reason"):
		save({**AT_ONCE, "action": "Recycle", "outcome_reason": reason})
	policy = save({**AT_ONCE, "action": "Recycle", "outcome_reason": NURTURE})
	assert policy.escalations[0].outcome_reason == NURTURE


def test_a_reason_that_has_been_switched_off_is_refused(save):
	frappe.db.set_value("Lead Outcome Reason", NURTURE, "enabled", 0)
	with pytest.raises(frappe.ValidationError, match="choose an enabled reason"):
		save({**AT_ONCE, "action": "Recycle", "outcome_reason": NURTURE})


def test_what_another_action_needed_is_not_kept(save):
	policy = save({**AT_ONCE, "action": "Pull Back", "role": "Sales Manager", "outcome_reason": NURTURE})
	policy.reload()
	assert (policy.escalations[0].role, policy.escalations[0].outcome_reason) == (None, None)


@pytest.mark.parametrize("clock", ["First Response", None])
def test_the_same_step_twice_is_refused_also_where_one_is_for_all_clocks(save, clock):
	with pytest.raises(frappe.ValidationError, match="row 2: row 1 does the same at the same time"):
		save(AT_ONCE, {**AT_ONCE, "clock": clock})


@pytest.mark.parametrize(
	"other",
	[{"after": 4}, {"unit": "Hours"}, {"action": "Pull Back"}, {"clock": "Triage"}],
)
def test_steps_that_differ_are_kept(save, other):
	policy = save(
		AT_ONCE,
		{**AT_ONCE, "after": 0, **other},
		targets=[target(), target(clock="Triage")],
	)
	assert len(policy.escalations) == 2


def test_two_roles_may_be_told_at_the_same_time(save):
	step = {**AT_ONCE, "action": "Notify Role"}
	policy = save({**step, "role": "Sales Manager"}, {**step, "role": "Lead Quality Manager"})
	assert [row.role for row in policy.escalations] == ["Sales Manager", "Lead Quality Manager"]


def test_a_step_for_a_clock_that_does_not_run_is_refused(save):
	with pytest.raises(frappe.ValidationError, match=r"row 1: the policy sets no deadline .*Triage"):
		save({**AT_ONCE, "clock": "Triage"})


def test_a_step_for_a_clock_that_only_an_agreement_starts_is_kept_with_a_warning(save):
	save({**AT_ONCE, "clock": "Handover Acceptance"})
	said = [message["message"] for message in frappe.get_message_log()]
	assert sum("runs only if a Sales Ready Agreement sets" in message for message in said) == 1


def test_a_ladder_without_last_resort_is_refused(save):
	with pytest.raises(frappe.MandatoryError, match="Choose a Last Resort"):
		save(AT_ONCE, escalate_to=None)


def test_a_policy_without_ladder_needs_no_last_resort(save):
	assert save(escalate_to=None).name


def test_a_last_resort_that_cannot_be_told_is_refused(save, boss):
	frappe.db.set_value("User", boss, "enabled", 0)
	with pytest.raises(frappe.ValidationError, match="cannot receive alerts"):
		save(AT_ONCE)
	with pytest.raises(frappe.ValidationError, match="cannot receive alerts"):
		save(AT_ONCE, escalate_to="Administrator")


def test_a_policy_that_a_company_uses_for_a_segment_stays(save):
	policy = save()
	segment = frappe.get_doc("Lead Segment", "Inbound")
	company = frappe.get_all("Company", pluck="name", order_by="name asc", limit=1)[0]
	segment.append("company_policies", {"company": company, "follow_up_policy": policy.name})
	segment.save(ignore_permissions=True)
	with pytest.raises(frappe.LinkExistsError, match="is used by a Lead Segment"):
		policy.delete()
