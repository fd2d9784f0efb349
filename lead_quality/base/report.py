"""The base class of reports: counts in groups, a link from each count to its rows, and the list of these rows.

Frappe calls `execute` in the report's module, which belongs to a subclass of `Report`. Reports read tables, not rooms.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib import import_module

import frappe
from frappe import _
from frappe.desk.query_report import get_report_doc
from frappe.permissions import can_export
from frappe.utils import add_months, cint, getdate, now_datetime, nowdate

from lead_quality.base import query
from lead_quality.base.links import DELETED
from lead_quality.base.notices import notify
from lead_quality.base.queries import Select, Where, leads_where
from lead_quality.base.routes import report_route
from lead_quality.base.versions import lead_field
from lead_quality.permissions import held_back_condition

# shares of fewer cases are shown, but marked
SMALL_SAMPLE = 10

# answers of sales; handovers that wait or were pulled back have none
DECLINED = ("Rejected", "Returned")
DECIDED = ("Accepted", *DECLINED)

# rows shown in a list, and rows per batch of an export
MOST_ROWS = 1_000
ROWS_AT_ONCE = 50_000
EXPORT_TIMEOUT = 3_600  # seconds


class Report:
	"""A report of one set of filters at one moment.

	A subclass provides `columns` and `rows` of the groups, `list_columns` and `listing` of the rows behind their counts, and
	optionally `message`, `chart` and `summary`.

	:param filters: from the form or a link. Without any, the form's defaults apply, so that a report that is mailed
	    (Auto Email Report), prepared or called by REST counts what the form shows.
	:param now: naive instant in the site's zone.
	"""

	# the name of its Report, for its links
	name = ""
	# the default period in months until today; 0 for none
	months = 0
	# the value of `show` for the list; empty without a list
	list_name = ""
	# each `group_by` to its column; the first is the default
	groups: dict[str, str] = {}
	# each count to the condition on the rows of the list
	counts: dict[str, str] = {}
	# filters that are passed on in the link of a count
	kept: tuple[str, ...] = ("from_date", "to_date", "company", "segment")

	def __init__(self, filters: dict | None = None, now: datetime | None = None):
		self.filters = frappe._dict(filters or self.defaults())
		self.now = now or now_datetime()
		self.user = _reader(self.name, self.filters)
		self.set_filters()

	@classmethod
	def execute(cls, filters: dict | None = None) -> tuple:
		"""The result for Frappe: columns, rows, message, chart and summary."""
		_drop_empty_messages()
		return cls(filters).shown()

	# provided by subclasses

	def set_filters(self):
		"""Complete the filters."""
		if self.groups and self.filters.group_by not in self.groups:
			self.filters.group_by = next(iter(self.groups))

	def columns(self) -> list[dict]:
		raise NotImplementedError

	def rows(self) -> list[dict]:
		raise NotImplementedError

	def message(self, rows: list[dict]) -> str | None:
		return None

	def chart(self, rows: list[dict]) -> dict | None:
		return None

	def summary(self, rows: list[dict]) -> list[dict] | None:
		return None

	def list_columns(self) -> list[dict]:
		raise NotImplementedError

	def listing(self) -> Select:
		"""The query of the rows behind a count, or of all rows."""
		raise NotImplementedError

	@property
	def behind(self):
		"""What has the list: its `list_columns`, `listing` and `listed`."""
		return self

	def all_listed(self) -> list | None:
		"""All rows of the list, for reports that cannot select them with a query in `listing`."""
		return None

	def listed(self, found: list) -> list[dict]:
		"""Some rows of `listing`, prepared for display."""
		return found

	def count_listing(self, listing: Select) -> int:
		"""How many rows the list has, if there are more than it shows."""
		return listing.count()

	def list_message(self, rows: list[dict]) -> str | None:
		return None

	def list_summary(self, rows: list[dict], total: int) -> list[dict] | None:
		return None

	def held_back(self) -> Select | None:
		"""The leads that the report would count if they were not hidden from this reader; the caller adds their
		condition."""
		return None

	# common to all reports

	@property
	def is_list(self) -> bool:
		return bool(self.list_name) and self.filters.show == self.list_name

	@classmethod
	def defaults(cls) -> dict:
		"""The default filters of the form that restrict what is counted."""
		if not cls.months:
			return {}
		today = nowdate()
		return {"from_date": str(add_months(getdate(today), -cls.months)), "to_date": today}

	def shown(self) -> tuple:
		if self.is_list:
			rows, total = self.page()
			_refuse_partial_export(total)
			columns, words = self.behind.list_columns(), [_cut(total), self.list_message(rows)]
			chart, summary = None, self.list_summary(rows, total)
		else:
			rows = self.rows()
			columns, words = self.columns(), [self.message(rows)]
			chart, summary = self.chart(rows), self.summary(rows)
		words.append(self._held_back_in_words())
		return (
			[{**column, "label": markup_free(column["label"])} for column in columns],
			[_without_markup(row) for row in rows],
			" ".join(word for word in words if word) or None,
			chart and {**chart, "data": _chart_without_markup(chart["data"])},
			summary,
		)

	def page(self) -> tuple[list[dict], int]:
		"""The first rows of the list, and their total number."""
		everything = self.all_listed()
		if everything is not None:
			return self._shown_list(everything[:MOST_ROWS]), len(everything)
		listing = self.behind.listing()
		found = listing.rows(most=MOST_ROWS + 1)
		total = len(found)
		if total > MOST_ROWS:
			found, total = found[:MOST_ROWS], self.count_listing(listing)
		return self._shown_list(found), total

	def all_pages(self) -> Iterator[list[dict]]:
		"""All rows of the list, in batches of some thousands."""
		everything = self.all_listed()
		if everything is not None:
			for start in range(0, len(everything), ROWS_AT_ONCE):
				yield self._shown_list(everything[start : start + ROWS_AT_ONCE])
			return
		listing, start = self.behind.listing(), 0
		while found := listing.rows(start, ROWS_AT_ONCE):
			yield self._shown_list(found)
			start += len(found)

	def _shown_list(self, found: list) -> list[dict]:
		"""Some rows of the list. Records of deleted leads have no name and cannot be opened."""
		rows = self.behind.listed(found)
		for row in rows:
			if str(row.get("lead") or "").startswith(DELETED):
				row.update({"lead": None, "title": _("Deleted Lead")})
		return rows

	def where(self, created: bool = True) -> Where:
		"""See `leads_where`, with this report's reader and filters."""
		return leads_where(self.filters, created, self.user)

	def of_source(self, where: Where):
		"""The filters `source`, and `without_source` for the leads that have none."""
		where.equal(f"`tabLead`.{lead_field('source')}", self.filters.source)
		if cint(self.filters.without_source):
			where.blank(f"`tabLead`.{lead_field('source')}")

	def count_columns(self) -> str:
		"""SQL: the sum of each count over the rows of a group."""
		return ", ".join(
			f"sum(case when {condition} then 1 else 0 end) as {name}"
			for name, condition in self.counts.items()
		)

	def counted(self) -> str:
		"""SQL: the condition of the count whose rows the list shows; without a count, of all rows."""
		return self.counts.get(self.filters.count, "1 = 1")

	def links(self, names: Iterable[str] | None = None, **more) -> dict[str, str]:
		"""Each count to the address of the list of its rows."""
		own = {key: self.filters[key] for key in self.kept if self.filters.get(key)}
		own.update({"show": self.list_name, **more})
		return {name: report_route(self.name, **own, count=name) for name in names or self.counts}

	def _held_back_in_words(self) -> str | None:
		condition = held_back_condition(self.user)
		leads = self.held_back() if condition else None
		if not leads:
			return None
		leads.where.add(f"`tabLead`.name in (select `tabLead`.name from `tabLead` where {condition})")
		number = leads.count()
		if not number:
			return None
		return _(
			"{0} leads that are not sales ready yet are not shown to you, so your figures differ from your manager's."
		).format(frappe.bold(number))


# permissions of the reader


def _reader(report: str, filters) -> str:
	"""The user whose permissions apply: the session's user, or the user of an Auto Email Report.

	Frappe mails reports as Administrator, so `keep_reader` stores the user whose permissions the mail follows in its
	filters. The filter counts only for users who could set up such a mail: Frappe lets them name any user in it, and so read
	with that user's permissions.
	"""
	reader = filters.pop("reader", None)
	user = frappe.session.user
	if not reader or reader == user or not frappe.has_permission("Auto Email Report", "write"):
		return user
	doc = frappe.get_cached_doc("Report", report)
	roles = {row.role for row in doc.roles}
	if reader != "Administrator" and roles and not roles & set(frappe.get_roles(reader)):
		frappe.throw(
			_("{0} may not run the report {1}.").format(frappe.bold(reader), frappe.bold(_(report))),
			frappe.PermissionError,
		)
	return reader


def keep_reader(doc, method=None):
	"""Auto Email Report `validate`: store the user whose permissions the mail follows in the filters of our reports."""
	report = frappe.get_cached_value("Report", doc.report, ["module", "report_type"], as_dict=True)
	if not report or (report.module, report.report_type) != ("Lead Quality", "Script Report"):
		return
	filters = frappe.parse_json(doc.filters) if doc.filters else {}
	doc.filters = json.dumps({**filters, "reader": doc.user})


# exports of all rows


def _cut(total: int) -> str | None:
	if total <= MOST_ROWS:
		return None
	return _("The first {0} of {1} rows are shown. {2} exports all of them to a file.").format(
		frappe.bold(_number(MOST_ROWS)), frappe.bold(_number(total)), frappe.bold(_("Export All Rows"))
	)


def _number(value: int) -> str:
	return figure(value, 0)


def _refuse_partial_export(total: int):
	"""Refuse an export that would contain only a part of the rows."""
	if total > MOST_ROWS and frappe.form_dict.get("cmd") == "frappe.desk.query_report.export_query":
		frappe.throw(
			_("There are {0} rows, and only the first {1} are shown. Choose Export All Rows.").format(
				frappe.bold(_number(total)), frappe.bold(_number(MOST_ROWS))
			)
		)


@frappe.whitelist(methods=["POST"])
def export_all_rows(report: str, filters: str | dict | None = None):
	"""Write all rows of a report's list to a file, in the background; the user is notified when it is ready.

	:raises frappe.PermissionError: for users who may not run the report or may not export its DocType.
	"""
	doc = get_report_doc(report)
	can_export(doc.ref_doctype, raise_exception=True)
	report_class(doc.name)
	try:
		filters = frappe.parse_json(filters) if filters else {}
	except ValueError:
		filters = None
	if not isinstance(filters, dict):
		frappe.throw(_("Send the filters of the report as an object."))
	frappe.enqueue(
		write_export,
		queue="long",
		timeout=EXPORT_TIMEOUT,
		report=doc.name,
		filters=filters,
		enqueue_after_commit=True,
	)
	frappe.msgprint(_("The file is being prepared. You will be notified when it is ready."), alert=True)


def write_export(report: str, filters: dict) -> str:
	"""Background job: write the file of `export_all_rows`, and notify its user.

	:returns: the name of the File.
	"""
	shown = report_class(report)(filters)
	name = f"{_(report)} {nowdate()}"
	with tempfile.TemporaryFile() as packed:
		# compressed, because sites limit the size of files to some megabytes
		with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
			with io.TextIOWrapper(archive.open(f"{name}.csv", "w"), "utf-8-sig", newline="") as content:
				_write_rows(shown, csv.writer(content))
		packed.seek(0)
		file = frappe.get_doc(doctype="File", file_name=f"{name}.zip", is_private=1, content=packed.read())
		file.insert(ignore_permissions=True)
	notify(
		frappe.session.user,
		_("The rows of {0} are ready to download.").format(frappe.bold(_(report))),
		"File",
		file.name,
		link=file.file_url,
	)
	return file.name


def _write_rows(shown: Report, writer):
	columns = shown.behind.list_columns() if shown.is_list else shown.columns()
	writer.writerow([column["label"] for column in columns])
	for rows in shown.all_pages() if shown.is_list else [shown.rows()]:
		writer.writerows([_as_text(row.get(column["fieldname"])) for column in columns] for row in rows)


def report_class(report: str) -> type[Report]:
	"""The class of one of the app's reports.

	:raises frappe.ValidationError: for other reports.
	"""
	name = frappe.scrub(report)
	try:
		module = import_module(f"lead_quality.lead_quality.report.{name}.{name}")
	except ModuleNotFoundError:
		frappe.throw(_("{0} is not a report of Lead Quality.").format(frappe.bold(markup_free(report))))
	return module.execute.__self__


def _as_text(value):
	"""A value for a file, safe from spreadsheets, which evaluate text that begins like a formula."""
	if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
		return f"'{value}"
	return value


# texts without markup


def markup_free(value):
	"""A text that the desk, a mail or a file shows literally.

	Frappe sanitizes documents when it saves them, and shows texts as HTML; rows that were written otherwise are not sanitized.
	"""
	if isinstance(value, str) and ("<" in value or ">" in value):
		return value.replace("<", "&lt;").replace(">", "&gt;")
	return value


def _without_markup(row: dict) -> dict:
	return {key: markup_free(value) for key, value in row.items()}


def _chart_without_markup(data: dict) -> dict:
	return {**data, "labels": [markup_free(label) for label in data["labels"]]}


# figures


def percent(part: float, whole: float) -> float | None:
	"""`part` of `whole` in percent; None, which is shown empty, if `whole` is 0."""
	return part / whole * 100 if whole else None


def nearest_rank(values: Sequence[float], percentile: float) -> float | None:
	"""The percentile by nearest rank: the smallest value that at least this percentage of the values do not exceed.

	It is one of the values, never between two; the 50th is the median (of an even number the lower middle). None
	without values.
	"""
	if not values:
		return None
	# -(-x // y) rounds up; in whole numbers, as 0.9 * 10 is not 9
	rank = max(-(-int(percentile * len(values)) // 100), 1)
	return sorted(values)[rank - 1]


def hours(seconds: float | None) -> float | None:
	return None if seconds is None else seconds / 3600


def figure(value: float | None, precision: int) -> str:
	"""A number of a report's summary as the user writes it; a dash for None.

	A summary has no precision of its own: Frappe would show 1.46 as 1.460, which reads as more than a thousand
	where the comma is the decimal separator.
	"""
	return "–" if value is None else frappe.format(value, {"fieldtype": "Float", "precision": precision})


def _drop_empty_messages():
	"""Before a report runs, Frappe asks for the right to read what a filter links to, and to select it otherwise. The first
	no leaves a message without words behind, which v16 shows as an empty box: to managers, who may select but not read a
	User, with every owner that they choose."""
	frappe.local.message_log = [
		message for message in frappe.local.message_log if not _is_empty_message(message)
	]


def _is_empty_message(message) -> bool:
	return isinstance(message, dict) and not message.get("message")


def share_in_words(value: float | None, precision: int = 1) -> str:
	return "–" if value is None else f"{figure(value, precision)} %"


def share_of(part: int, whole: int) -> str:
	"""A share in words; of few cases the cases themselves."""
	if 0 < whole < SMALL_SAMPLE:
		return _("{0} of {1} leads").format(part, whole)
	return share_in_words(percent(part, whole))


def on_top(label: str, value, indicator: str, datatype: str = "Data") -> dict:
	"""A figure above the report."""
	return {"label": label, "value": value, "datatype": datatype, "indicator": indicator}


def bars(labels: list[str], datasets: dict[str, list], colors: list[str], **more) -> dict:
	"""A bar chart: the name of each set of values to its values."""
	return {
		"data": {
			"labels": labels,
			"datasets": [{"name": name, "values": values} for name, values in datasets.items()],
		},
		"type": "bar",
		"colors": colors,
		**more,
	}


def full_names(users: Iterable[str | None]) -> dict[str | None, str]:
	"""User to full name."""
	named = [user for user in users if user]
	if not named:
		return {}
	rows = frappe.get_all(
		"User", {"name": query.among(named)}, ["name", "full_name"], order_by="name asc", as_list=True
	)
	return {name: full_name or name for name, full_name in rows}


def no_source() -> str:
	"""The label of leads without a source, because a source may be named Unknown."""
	return _("No Source")


# columns


def column(fieldname: str, label: str, fieldtype: str = "Data", width: int = 130, **more) -> dict:
	# without a number in the first row, Frappe's table treats the column as text
	align = {"align": "left"} if fieldtype in ("Data", "Link", "Datetime") else {}
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **align, **more}


def count_column(fieldname: str, label: str, width: int = 110) -> dict:
	return column(fieldname, label, "Int", width)


def percent_column(fieldname: str, label: str, width: int = 130) -> dict:
	return column(fieldname, label, "Percent", width, precision=1)


def hours_column(fieldname: str, label: str, width: int = 130) -> dict:
	return column(fieldname, label, "Float", width, precision=2)


def lead_and_title() -> list[dict]:
	return [column("lead", _("Lead"), "Link", 200, options="Lead"), column("title", _("Title"), width=250)]


def user_column(fieldname: str, label: str) -> dict:
	return column(fieldname, label, "Link", 240, options="User")


# checklists


def pick_checklist(filters, user: str) -> str | None:
	"""The checklist in the filters, or else the active one of most leads that the user may see, or else None."""
	if filters.checklist:
		return filters.checklist
	where = Where(user)
	where.add("`tabLead Qualification`.checklist = c.name")
	where.visible("Lead Qualification")
	rows = where.select(
		"""
		select c.name
		from `tabQualification Checklist` c
		where c.status = 'Active'
		order by (select count(*) from `tabLead Qualification` where {where}) desc, c.creation desc, c.name
		limit 1
		"""
	)
	return rows[0].name if rows else None


def no_checklist() -> str:
	return _("There is no active checklist yet: make a Qualification Checklist, or choose an older one.")


def checklist_in_words(checklist: str) -> str:
	return frappe.bold(markup_free(checklist))
