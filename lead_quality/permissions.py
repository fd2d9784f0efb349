"""Permissions follow the Lead: who may not see a lead sees none of its touches, clocks or handovers.

One condition serves lists, single documents and reports.
"""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.model.db_query import DatabaseQuery
from frappe.permissions import get_role_permissions

from lead_quality.base.versions import as_hook_condition, is_table_queried

ANSWER = "Lead Qualification Answer"

# Roles that see every lead that ERPNext's own rules let them see.
WIDE_ROLES = frozenset(
	{"Sales User", "Sales Manager", "Sales Master Manager", "Lead Quality Manager", "System Manager"}
)
# Roles that manage the work on leads: they answer for others, and correct what others have entered.
MANAGERS = frozenset({"Sales Manager", "Lead Quality Manager", "System Manager"})
# Roles that take leads over, besides the one that signs agreements for sales.
SELLERS = frozenset({"Sales User", "Sales Manager"})
# Roles that work on leads at all, so that a site without any of their users cannot begin.
WORKING_ROLES = ("Lead Quality Manager", "Lead Qualifier", "Sales User", "Sales Manager")
# Roles that are told, and decide, where nobody else is left: the first that has a user.
LAST_RESORTS = ("Lead Quality Manager", "System Manager")


def is_manager(user: str | None = None) -> bool:
	"""Whether a user, by default that of the session, has one of the roles `MANAGERS`."""
	return bool(MANAGERS & set(frappe.get_roles(user)))


def own_leads_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on Lead: an outside qualifier sees only the leads that are theirs; where the settings say so,
	a sales user also sees those that are sales ready or were handed over. SQL, or empty."""
	user = user or frappe.session.user
	escaped = frappe.db.escape(user)
	own = f"`tabLead`.lead_owner = {escaped} or `tabLead`.owner = {escaped}"
	if only_own_leads(user):
		return f"({own})"
	if only_qualified_leads(user):
		return f"""({own} or `tabLead`.lq_verdict = 'Sales Ready' or `tabLead`.lq_stage in ('opportunity', 'sale')
			or `tabLead`.name in (
				select lead from `tabLead Handover` where to_user = {escaped} and status in ('Sent', 'Accepted')
			))"""
	return ""


def only_own_leads(user: str) -> bool:
	"""Whether the user works with leads in no other role than Lead Qualifier."""
	roles = set(frappe.get_roles(user))
	return user != "Administrator" and "Lead Qualifier" in roles and not roles & WIDE_ROLES


def only_qualified_leads(user: str) -> bool:
	"""Whether the user sells and does nothing else with leads, and the settings keep raw leads from such users."""
	roles = set(frappe.get_roles(user))
	return (
		user != "Administrator"
		and "Sales User" in roles
		and not roles & ((WIDE_ROLES - {"Sales User"}) | {"Lead Qualifier"})
		and bool(frappe.get_cached_doc("Lead Quality Settings").hide_unqualified_leads)
	)


def held_back_condition(user: str) -> str:
	"""The leads that a user would see, did the settings not keep from them what is not sales ready. SQL with bound
	values; empty, if nothing is kept from them."""
	if not only_qualified_leads(user):
		return ""
	other = _WithoutHooks("Lead", user=user).build_match_conditions()
	shown = bindable(own_leads_condition(user))
	return f"not ifnull({shown}, 0)" + (f" and ({bindable(other)})" if other else "")


class _WithoutHooks(DatabaseQuery):
	"""A list as roles and User Permissions alone make it."""

	def get_permission_query_conditions(self) -> str:
		return ""


def has_lead_permission(doc, ptype=None, user=None, debug=False) -> bool:
	"""Single check on Lead, the counterpart of `own_leads_condition`."""
	user = user or frappe.session.user
	if not (only_own_leads(user) or only_qualified_leads(user)):
		return True
	if user == doc.flags.given_to:
		return True
	# as stored: the document at hand may have been made the user's own, or called new, by the very request that is
	# checked
	fields = ["lead_owner", "owner", "lq_verdict", "lq_stage"]
	stored = frappe.db.get_value("Lead", doc.name, fields, as_dict=True) if doc.name else None
	if not stored or user in {stored.lead_owner, stored.owner}:
		return True
	if only_own_leads(user):
		return False
	return (
		stored.lq_verdict == "Sales Ready"
		or stored.lq_stage in {"opportunity", "sale"}
		or bool(
			frappe.db.exists(
				"Lead Handover", {"lead": doc.name, "to_user": user, "status": ["in", ["Sent", "Accepted"]]}
			)
		)
	)


def may_be_given(lead, user: str) -> bool:
	"""Whether a user could work on a lead document once it is theirs."""
	owner, lead.lead_owner = lead.lead_owner, user
	lead.flags.given_to = user
	try:
		return bool(frappe.has_permission("Lead", "write", doc=lead, user=user))
	finally:
		lead.lead_owner = owner
		lead.flags.given_to = None


def own_transfers_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on Lead Transfer: who does not see all leads sees only the transfers that he has started, as the
	others name leads of others."""
	user = user or frappe.session.user
	return f"`tabLead Transfer`.started_by = {frappe.db.escape(user)}" if lead_condition(user) else ""


def has_transfer_permission(doc, ptype=None, user=None, debug=False) -> bool:
	"""Single check on Lead Transfer, the counterpart of `own_transfers_condition`."""
	user = user or frappe.session.user
	if not lead_condition(user):
		return True
	stored = frappe.db.get_value("Lead Transfer", doc.name, "started_by") if doc.name else None
	return not stored or stored == user


def own_goals_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on New Customer Goal: what somebody else is to reach is for managers to see. SQL, or empty."""
	user = user or frappe.session.user
	return "" if sees_all_goals(user) else f"`tabNew Customer Goal`.user = {frappe.db.escape(user)}"


def has_goal_permission(doc, ptype=None, user=None, debug=False) -> bool:
	"""Single check on New Customer Goal, the counterpart of `own_goals_condition`."""
	user = user or frappe.session.user
	if sees_all_goals(user):
		return True
	stored = frappe.db.get_value("New Customer Goal", doc.name, "user") if doc.name else None
	return not stored or stored == user


def sees_all_goals(user: str) -> bool:
	return user == "Administrator" or bool(set(frappe.get_roles(user)) & (WIDE_ROLES - {"Sales User"}))


def check_lead(lead: str | None, ptype: str = "read"):
	"""Refuse what the user may not do with a lead.

	:raises frappe.PermissionError: alike for a lead that the user may not see and for one that is not there.
	"""
	stored = frappe.db.exists("Lead", lead) if isinstance(lead, str) and lead else None
	if not stored or not frappe.has_permission("Lead", "read", doc=stored):
		name = frappe.bold(frappe.utils.escape_html(str(lead or "")))
		frappe.throw(_("There is no lead {0}, or you may not see it.").format(name), frappe.PermissionError)
	if ptype != "read" and not frappe.has_permission("Lead", ptype, doc=stored):
		frappe.throw(
			_("You may see the lead {0}, but not change it.").format(frappe.bold(stored)),
			frappe.PermissionError,
		)


def name_for(user: str, lead: str) -> str:
	"""What a text for a user calls a lead: its title, or its number if the user may not see the lead, as who has given
	it away may not any more."""
	if not frappe.has_permission("Lead", "read", doc=lead, user=user):
		return lead
	return frappe.db.get_value("Lead", lead, "title") or lead


def lead_condition(user: str | None = None) -> str:
	"""The SQL condition on `tabLead` that ERPNext's permissions put on this user's lists; empty if none.

	See `bindable` for a query with values of its own.
	"""
	return list_condition("Lead", user or frappe.session.user)


def sees_whole_companies(user: str) -> bool:
	"""Whether nothing but User Permissions for companies narrows this user's list of leads.

	It is asked of the rights and not of the leads: what depends on leads that a user may not see tells that there are any.
	"""
	if not lead_condition(user):
		return True
	if not get_role_permissions(frappe.get_meta("Lead"), user=user).get("read"):
		return False
	rules = DatabaseQuery("Lead", user=user)
	rules.build_match_conditions(as_condition=False)
	narrowing = {doctype for permissions in rules.match_filters for doctype in permissions}
	return narrowing == {"Company"} and not rules.get_permission_query_conditions()


def list_condition(doctype: str, user: str) -> str:
	"""The SQL condition on a DocType's table that permissions put on this user's list of it; empty if none."""
	if user == "Administrator":
		return ""
	if not get_role_permissions(frappe.get_meta(doctype), user=user).get("read"):
		# Frappe's own condition says nothing where a user reads documents by being shown single ones
		names = frappe.share.get_shared(doctype, user)
		return (
			f"`tab{doctype}`.name in ({', '.join(frappe.db.escape(name) for name in names)})"
			if names
			else "1 = 0"
		)
	return DatabaseQuery(doctype, user=user).build_match_conditions() or ""


def bindable(condition: str) -> str:
	"""A condition on lists as a part of a query that binds values, where % is written as %%.

	Frappe doubles the % of a permission such as "50% Off Ltd" in some places and not in others.
	"""
	return condition.replace("%%", "%").replace("%", "%%")


def visible_leads_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on a DocType with a link `lead`: only the rows of leads that the user may see.

	Who sent a handover sees what became of it, also when the lead now belongs to the receiver.
	"""
	user = user or frappe.session.user
	condition = lead_condition(user)
	if not condition:
		return ""
	condition = as_hook_condition(condition)
	visible = f"`tab{doctype}`.lead in (select `tabLead`.name from `tabLead` where {condition})"
	if doctype == "Lead Handover":
		return f"({visible} or `tabLead Handover`.from_user = {frappe.db.escape(user)})"
	return visible


def visible_remnants_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on Handover Remnant: who may not list what is left of a lead sees nothing of its handovers."""
	condition = list_condition("Lead Remnant", user or frappe.session.user)
	if not condition:
		return ""
	names = f"select `tabLead Remnant`.name from `tabLead Remnant` where {as_hook_condition(condition)}"
	return f"`tabHandover Remnant`.lead in ({names})"


def has_permission_of_remnant(doc, ptype=None, user=None, debug=False) -> bool:
	"""Single check on Handover Remnant, the counterpart of `visible_remnants_condition`."""
	condition = list_condition("Lead Remnant", user or frappe.session.user)
	if not condition or not doc.get("lead"):
		return True
	query = f"select 1 from `tabLead Remnant` where name = %s and ({bindable(condition)}) limit 1"
	return bool(frappe.db.sql(query, (doc.lead,)))  # nosemgrep


def visible_rows_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on a child table: only rows of documents that the user may list. Frappe checks no more than that
	the user may read some of them."""
	user = user or frappe.session.user
	parents = frappe.get_all(
		"DocField", {"options": doctype, "fieldtype": "Table"}, pluck="parent", order_by="parent asc"
	)
	conditions = {parent: list_condition(parent, user) for parent in dict.fromkeys(parents)}
	if not any(conditions.values()):
		return ""
	visible = []
	for parent, condition in conditions.items():
		names = f" and `tab{doctype}`.parent in (select `tab{parent}`.name from `tab{parent}` where {as_hook_condition(condition)})"
		visible.append(
			f"(`tab{doctype}`.parenttype = {frappe.db.escape(parent)}{names if condition else ''})"
		)
	return f"({' or '.join(visible)})"


def visible_answers_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on the answers: of judgements that the user may list, see `without_confidential_answers`."""
	user = user or frappe.session.user
	conditions = visible_rows_condition(user, ANSWER), without_confidential_answers(user)
	return " and ".join(condition for condition in conditions if condition)


def without_confidential_answers(user: str) -> str:
	"""A condition on answers that leaves out the confidential ones for who may not read these: what is not there can be
	neither filtered nor sorted by. SQL, or empty."""
	if may_read_confidential_answers(user):
		return ""
	return f"ifnull(`tab{ANSWER}`.confidential_value, '') = '' and ifnull(`tab{ANSWER}`.confidential_note, '') = ''"


def may_read_confidential_answers(user: str) -> bool:
	"""Whether a user has permission level 1 on Lead Qualification."""
	levels = frappe.get_meta("Lead Qualification").get_permlevel_access("read", user=user)
	return user == "Administrator" or 1 in levels


def visible_judgements_condition(user: str | None = None, doctype: str | None = None) -> str:
	"""List condition on Lead Qualification, also where its answers are joined: v15 lets everybody filter by the columns
	of a table's rows, and v16 lists these by the condition of their parent alone."""
	user = user or frappe.session.user
	conditions = [visible_leads_condition(user, "Lead Qualification")]
	if is_table_queried(ANSWER):
		conditions.append(without_confidential_answers(user))
	return " and ".join(condition for condition in conditions if condition)


def has_permission_of_lead(doc, ptype=None, user=None, debug=False) -> bool:
	"""Single check on a document with a link `lead`: who reads it sees the lead, who changes it may change that."""
	user = user or frappe.session.user
	if not doc.get("lead") or (doc.doctype == "Lead Handover" and doc.from_user == user and ptype == "read"):
		return True
	condition = lead_condition(user)
	if condition and not frappe.db.sql(  # nosemgrep
		f"select 1 from `tabLead` where `tabLead`.name = %s and ({bindable(condition)}) limit 1", (doc.lead,)
	):
		return False
	if ptype in {"write", "create", "delete"} and frappe.db.exists("Lead", doc.lead):
		return frappe.has_permission("Lead", "write", doc=doc.lead, user=user)
	return True


class Sight:
	"""Which of some leads a user may see, asked of the database once for each user who may not see all."""

	def __init__(self, leads: Iterable[str]):
		self._leads = sorted(set(leads))
		self._visible: dict[str, set[str] | None] = {}

	def of(self, user: str, lead: str) -> bool:
		if user not in self._visible:
			self._visible[user] = self._look(user)
		visible = self._visible[user]
		return visible is None or lead in visible

	def _look(self, user: str) -> set[str] | None:
		condition = lead_condition(user)
		if not condition:
			return None
		query = f"select name from `tabLead` where name in %s and ({bindable(condition)})"
		chunks = (self._leads[start : start + 1000] for start in range(0, len(self._leads), 1000))
		return {name for chunk in chunks for name in frappe.db.sql_list(query, (chunk,))}  # nosemgrep


def may_use_app() -> bool:
	"""Whether the apps screen offers Lead Quality to the user."""
	return bool(frappe.has_permission("Lead", "read"))
