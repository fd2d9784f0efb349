import frappe
from frappe import _
from frappe.utils import format_date, get_fullname, get_link_to_form, getdate, now_datetime

from lead_quality.base.documents import OwnDocument
from lead_quality.base.notices import is_reachable, tell, words_for
from lead_quality.base.texts import bold
from lead_quality.people.absence import log_previous_version
from lead_quality.permissions import is_manager

# the fields that define the absence and its substitute
SAYS = ("user", "substitute", "from_date", "to_date")


class FollowUpAbsence(OwnDocument):
	def validate(self):
		self.check_user()
		self.check_days()
		self.check_substitute()
		self.refuse_overlap()
		self.log_previous_version()

	def on_update(self):
		before = self.get_doc_before_save()
		fields = ("substitute", "from_date", "to_date")
		if self.substitute and (not before or any(self.has_value_changed(field) for field in fields)):
			self.notify_substitute()

	def on_trash(self):
		self.check_user()
		log_previous_version(self.name, now_datetime())

	def log_previous_version(self):
		"""Log the previous version: it decides who was responsible for deadlines that have passed."""
		if not self.is_new() and any(self.has_value_changed(field) for field in SAYS):
			log_previous_version(self.name, now_datetime())

	def check_user(self):
		"""Users enter their own absences; managers enter absences of others."""
		user = frappe.session.user
		if self.flags.ignore_permissions or user in {self.user, "Administrator"}:
			return
		if not is_manager(user):
			frappe.throw(
				_("You can only enter your own absences. Ask a manager for {0}.").format(
					bold(get_fullname(self.user))
				),
				frappe.PermissionError,
			)

	def check_days(self):
		if getdate(self.to_date) < getdate(self.from_date):
			frappe.throw(_("The last day away is before the first day away."))

	def check_substitute(self):
		if not self.substitute:
			return
		if self.substitute == self.user:
			frappe.throw(_("A user cannot be their own substitute: choose another user, or none."))
		if not is_reachable(self.substitute):
			frappe.throw(
				_("{0} cannot be a substitute: the user is disabled, or is not a person.").format(
					frappe.bold(self.substitute)
				)
			)
		if not frappe.has_permission("Lead", "read", user=self.substitute):
			frappe.throw(
				_(
					"{0} cannot be a substitute: give the user the role Sales User, or choose another user."
				).format(bold(get_fullname(self.substitute)))
			)
		other = self.overlapping(self.substitute)
		if other:
			frappe.msgprint(
				_("{0} is away too, from {1} to {2}.").format(
					bold(get_fullname(self.substitute)),
					format_date(other.from_date),
					format_date(other.to_date),
				),
				indicator="orange",
				title=_("The Substitute Is Away"),
			)

	def refuse_overlap(self):
		other = self.overlapping(self.user)
		if other:
			frappe.throw(
				_("{0} is away from {1} to {2} already: change {3}.").format(
					bold(get_fullname(self.user)),
					format_date(other.from_date),
					format_date(other.to_date),
					get_link_to_form("Follow Up Absence", other.name),
				)
			)

	def overlapping(self, user: str):
		"""Another absence of the user that overlaps this one, or None."""
		days = {"from_date": ["<=", self.to_date], "to_date": [">=", self.from_date]}
		return frappe.db.get_value(
			"Follow Up Absence",
			{"user": user, "name": ["!=", self.name], **days},
			["name", "from_date", "to_date"],
			as_dict=True,
		)

	def notify_substitute(self):
		if self.substitute == frappe.session.user:
			return
		with words_for(self.substitute):
			words = _(
				"You are covering for {0} from {1} to {2}: you are notified of what falls due on their leads."
			)
			tell(
				self.substitute,
				words.format(get_fullname(self.user), format_date(self.from_date), format_date(self.to_date)),
				"Follow Up Absence",
				self.name,
				kind="Unattended",
			)
