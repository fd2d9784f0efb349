import frappe
from frappe import _
from frappe.utils import get_fullname, now_datetime

from lead_quality.base import query
from lead_quality.base.documents import OwnDocument
from lead_quality.base.notices import is_reachable, tell
from lead_quality.base.protected import restore_protected_fields
from lead_quality.base.site_time import can_count
from lead_quality.base.versioned import check_active, content_of
from lead_quality.qualification import agreement
from lead_quality.qualification.agreement_words import changes_in_words, in_words
from lead_quality.qualification.definitions import clear_caches

# what both sides sign
CONTENT = (
	"company",
	"segment",
	"checklist",
	"notes",
	"deadline_unit",
	"working_calendar",
	"accept_within",
	"first_touch_within",
	"pull_back_after",
	"reasons",
)
DEADLINES = ("accept_within", "first_touch_within", "pull_back_after")
# fields that their dates follow from
COUNTED = (*DEADLINES, "deadline_unit", "working_calendar", "segment")
SIGNATURES = tuple(field for side in agreement.SIDES.values() for field in side[2:])
SCOPE = ("company", "segment")


class SalesReadyAgreement(OwnDocument):
	def __setup__(self):
		# empty means all, so an insert must not fill in the user's default company
		self.dont_update_if_missing = list(SCOPE)

	def onload(self):
		state = agreement.signing_state(self, frappe.session.user)
		self.set_onload("signing", {**state, "changes": changes_in_words(self)})

	def validate(self):
		self.restore_signatures()
		self.refuse_change_of_superseded()
		self.clear_signatures_on_change()
		self.number()
		check_active(self, "checklist")
		self.check_reasons()
		self.check_calendar()
		self.check_deadlines()
		self.check_signatures()
		self.set_title()

	def on_update(self):
		if self.status == "Active" and self.has_value_changed("status"):
			self.supersede_older()
		clear_caches()
		if self.flags.pop("signatures_cleared", False):
			agreement.tell_both_sides(
				self, _("{0} has been changed and waits for your signature again").format(self.title)
			)

	def on_trash(self):
		if self.status in {"Active", "Superseded"}:
			frappe.throw(
				_(
					"{0} is kept as the record of what both sides signed. Choose New Version to replace it."
				).format(frappe.bold(self.title))
			)

	def before_print(self, settings=None):
		self.words = in_words(self)

	# validate

	def restore_signatures(self):
		"""Users cannot set status, version, signatures and readers; a new agreement is an unsigned draft."""
		if self.is_new():
			self.update({"status": "Draft", "readers": [], **dict.fromkeys(SIGNATURES)})
			restore_protected_fields(self, "supersedes")
		else:
			restore_protected_fields(self, "status", "version", "supersedes", "readers", *SIGNATURES)

	def refuse_change_of_superseded(self):
		before = self.get_doc_before_save()
		if before and before.status == "Superseded" and self.is_content_changed():
			frappe.throw(
				_("{0} is superseded and cannot be changed. Choose New Version to start from a copy.").format(
					frappe.bold(before.title)
				)
			)

	def clear_signatures_on_change(self):
		"""Clear signatures and readers when the content changes."""
		before = self.get_doc_before_save()
		if (
			not before
			or before.status not in {"Awaiting Signature", "Active"}
			or not self.is_content_changed()
		):
			return
		self.update({"status": "Awaiting Signature", "readers": [], **dict.fromkeys(SIGNATURES)})
		if not agreement.signers(before) and not before.readers:
			return
		self.flags.signatures_cleared = True
		if self.flags.is_renewed:
			return  # changed by the app: its checklist has a new version
		words = (
			_(
				"{0} is no longer in force: both sides have to sign what it says now. To keep the present agreement in force until they have, choose New Version before you change anything."
			)
			if before.status == "Active"
			else _(
				"{0} has changed, so its signatures no longer count: both sides have to read and sign it again. To keep the present text, choose New Version before you change anything."
			)
		)
		frappe.msgprint(
			words.format(frappe.bold(before.title)), title=_("Signatures Cleared"), indicator="orange"
		)

	def is_content_changed(self) -> bool:
		before = self.get_doc_before_save()
		return any(content_of(self, field) != content_of(before, field) for field in CONTENT)

	def number(self):
		"""Set the next version number of its company and segment."""
		before = self.get_doc_before_save()
		if before and all(content_of(self, field) == content_of(before, field) for field in SCOPE):
			return
		latest = frappe.db.get_value(
			self.doctype,
			{"name": ["!=", self.name], **{field: self.get(field) or ["is", "not set"] for field in SCOPE}},
			"version",
			order_by="version desc",
		)
		self.version = (latest or 0) + 1

	def check_reasons(self):
		seen = set()
		for row in self.reasons:
			if row.reason in seen:
				frappe.throw(
					_("Row {0}: the reason {1} is listed twice. Delete one of the two rows.").format(
						row.idx, frappe.bold(row.reason)
					)
				)
			seen.add(row.reason)

	def check_calendar(self):
		"""Deadlines need a calendar: the agreement's own, or one in the policy of every segment that it applies to."""
		if self.working_calendar or not any(self.get(field) for field in DEADLINES):
			return
		without = frappe.get_all(
			"Lead Segment",
			{**self.segments(), "follow_up_policy": ["is", "not set"]},
			pluck="name",
			order_by="priority asc, name asc",
		)
		if without:
			frappe.throw(
				_(
					"Choose a working calendar: the segment {0} has no follow-up policy whose calendar could count the deadlines."
				).format(frappe.bold(without[0]))
			)

	def segments(self) -> dict:
		"""Filters for the segments that it applies to."""
		return {"name": self.segment} if self.segment else {"enabled": 1}

	def check_deadlines(self):
		"""Refuse deadlines that cannot be calculated: no lead could be handed over."""
		if not any(self.has_value_changed(field) for field in COUNTED):
			return
		calendars = [self.working_calendar]
		if not self.working_calendar:
			policies = frappe.get_all("Lead Segment", self.segments(), pluck="follow_up_policy")
			calendars = frappe.get_all(
				"Follow Up Policy", {"name": query.among(policies)}, pluck="working_calendar"
			)
		for field in DEADLINES:
			span = self.get(field)
			if span and not all(can_count(span, self.deadline_unit, name) for name in set(calendars) if name):
				frappe.throw(
					_("{0}: this is more than ten years, or the working calendar has no open hours.").format(
						frappe.bold(_(self.meta.get_label(field)))
					)
				)

	def check_signatures(self):
		if self.status == "Active" and not all(self.get(field) for field in SIGNATURES):
			frappe.throw(_("An agreement is active only when marketing and sales have signed it."))

	def set_title(self):
		scope = " · ".join((self.company or _("All companies"), self.segment or _("all segments")))
		version = f" v{self.version}"
		self.title = scope[: 140 - len(version)] + version

	# signing

	@frappe.whitelist(methods=["POST"])
	def send_for_signature(self):
		"""Ask both sides to read and sign this draft.

		:raises frappe.ValidationError: if it is not a draft.
		"""
		doc = self.lock()
		doc.check_permission("write")
		if doc.status != "Draft":
			frappe.throw(_("{0} has been sent for signature already.").format(frappe.bold(doc.title)))
		doc.ask_for_signatures()
		self.reload()

	@frappe.whitelist(methods=["POST"])
	def sign(self, side: str):
		"""Sign for Marketing or for Sales as the session's user. The second signature activates it.

		:raises frappe.TimestampMismatchError: if somebody has changed it since this copy of it was read.
		:raises frappe.PermissionError: if the user does not have the role of the side.
		:raises frappe.ValidationError: if the user cannot sign it now; the message says what to do.
		"""
		user = frappe.session.user
		if side not in agreement.SIDES:
			frappe.throw(_("Sign for one of these: {0}.").format(", ".join(agreement.SIDES)))
		doc = self.lock()
		doc.check_permission("read")
		if refused := agreement.refusal(doc, side, user):
			frappe.throw(*refused)
		first = agreement.signers(doc)
		signed_by, signed_on = agreement.SIDES[side][2:]
		doc.update({signed_by: user, signed_on: now_datetime()})
		if first:
			doc.status = "Active"
		doc.save(ignore_permissions=True)
		for other in first:
			if other != user and is_reachable(other):
				tell(
					other,
					_("{0} has signed {1}: it is in force").format(get_fullname(user), doc.title),
					doc.doctype,
					doc.name,
				)
		self.reload()

	@frappe.whitelist(methods=["POST"])
	def confirm_read(self):
		"""Record that the session's user has read it. Repeating this changes nothing.

		:raises frappe.TimestampMismatchError: if somebody has changed it since this copy of it was read.
		:raises frappe.ValidationError: if it is a draft or superseded.
		"""
		user = frappe.session.user
		doc = self.lock()
		doc.check_permission("read")
		if doc.status not in {"Awaiting Signature", "Active"}:
			frappe.throw(
				_("{0} is {1}: there is nothing to confirm.").format(frappe.bold(doc.title), _(doc.status))
			)
		if user not in {row.user for row in doc.readers}:
			# without a save, which would make the form of a signer stale
			doc.append("readers", {"user": user, "read_on": now_datetime()}).db_insert()
			frappe.clear_document_cache(doc.doctype, doc.name)
		self.reload()

	@frappe.whitelist(methods=["POST"])
	def make_new_version(self) -> OwnDocument:
		"""A draft copy with the next version number, on the checklist's version that is active now.

		This agreement stays in force until both sides have signed the copy.
		"""
		doc = frappe.get_doc(self.doctype, self.name)
		doc.check_permission("write")
		frappe.has_permission(self.doctype, "create", throw=True)
		return doc.copy_as_draft(checklist=active_version(doc.checklist))

	def lock(self) -> OwnDocument:
		"""This agreement as stored, locked. Values of this copy, which a form has sent, are ignored.

		:raises frappe.TimestampMismatchError: if somebody has changed it since this copy of it was read.
		"""
		doc = frappe.get_doc(self.doctype, self.name, for_update=True)
		if str(doc.modified) != str(self.modified):
			frappe.throw(
				_("{0} has changed since you opened it. Reload it and read it again first.").format(
					frappe.bold(doc.title)
				),
				frappe.TimestampMismatchError,
			)
		return doc

	def copy_as_draft(self, **changes) -> OwnDocument:
		"""Insert the next version as a draft, without permission checks."""
		copy = frappe.copy_doc(self)
		copy.update({"supersedes": self.name, **changes})
		return copy.insert(ignore_permissions=True)

	def ask_for_signatures(self):
		"""Send a draft for signature, without permission checks, and notify the users with both roles."""
		self.status = "Awaiting Signature"
		self.save(ignore_permissions=True)
		agreement.tell_both_sides(
			self, _("{0} waits for the signatures of marketing and sales: read it").format(self.title)
		)

	def supersede_older(self):
		"""Supersede the active agreement of the same company and segment."""
		# read with a lock: another agreement may have become active since this transaction began
		for older in query.run(
			"""
			select name from `tabSales Ready Agreement`
			where status = 'Active' and name != %s and ifnull(company, '') = %s and ifnull(segment, '') = %s
			order by name for update
			""",
			(self.name, self.company or "", self.segment or ""),
			pluck=True,
		):
			frappe.db.set_value(self.doctype, older, "status", "Superseded")


def active_version(checklist: str) -> str:
	"""The active version of a checklist, or the checklist itself if none is active."""
	title = frappe.db.get_value("Qualification Checklist", checklist, "title")
	return (
		frappe.db.get_value(
			"Qualification Checklist", {"title": title, "status": "Active"}, order_by="version desc"
		)
		or checklist
	)
