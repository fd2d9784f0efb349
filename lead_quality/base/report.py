"""The class of reports: counts in groups, a link from each count to its rows, and the list of these.

Frappe calls `execute` of the report's module, which is that of a subclass of `Report`. A report reads tables, no rooms.
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

# below this many cases a share says little; shown, but marked
SMALL_SAMPLE = 10

# what sales answered; a handover that still waits, or that was pulled back, has no answer
DECLINED = ("Rejected", "Returned")
DECIDED = ("Accepted", *DECLINED)

# a list shows so many rows; all of them are exported, so many at once
MOST_ROWS = 1_000
ROWS_AT_ONCE = 50_000
EXPORT_TIMEOUT = 3_600  # seconds


class Report:
	"""A report of one set of filters at one moment.

	A subclass gives `columns` and `rows` of the groups, `list_columns` and `listing` of what is behind their counts, and
	may give a `message`, a `chart`, and a `summary`.

	:param filters: as the form or a link gives them. Without any, the form's defaults hold, so that a report that is
	    mailed (Auto Email Report), prepared or called by REST counts what the form shows.
	:param now: naive instant in the site's zone.
	"""

	# the name of its Report, to which its links lead
	name = ""
	# the period that the form begins with: so many months, until today; 0 for none
	months = 0
	# what `show` says for the list; empty, if the report has none
	list_name = ""
	# `group_by` to the column that it groups by; the first counts unless another is chosen
	groups: dict[str, str] = {}
	# each count to the condition on what the list shows of what it counts
	counts: dict[str, str] = {}
	# the filters that a link from a count keeps
	kept: tuple[str, ...] = ("from_date", "to_date", "company", "segment")

	def __init__(self, filters: dict | None = None, now: datetime | None = None):
		self.filters = frappe._dict(filters or self.defaults())
		self.now = now or now_datetime()
		self.user = _reader(self.name, self.filters)
		self.set_filters()

	@classmethod
	def execute(cls, filters: dict | None = None) -> tuple:
		"""What Frappe shows: columns, rows, message, chart and summary."""
		return cls(filters).shown()

	# what a subclass gives

	def set_filters(self):
		"""Puts right what the filters leave open."""
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
		"""The query of the rows behind a count, or of all."""
		raise NotImplementedError

	def all_listed(self) -> list | None:
		"""Instead of `listing`, all these rows, where no query can tell which they are."""
		return None

	def listed(self, found: list) -> list[dict]:
		"""Some of the rows of `listing`, as the list shows them."""
		return found

	def count_listing(self, listing: Select) -> int:
		"""How many rows the list has, if they are more than it shows."""
		return listing.count()

	def list_message(self, rows: list[dict]) -> str | None:
		return None

	def list_summary(self, rows: list[dict], total: int) -> list[dict] | None:
		return None

	def held_back(self) -> Select | None:
		"""The leads that the report would count, were they not kept from this reader; their condition is to be
		added."""
		return None

	# what all have in common

	@property
	def is_list(self) -> bool:
		return bool(self.list_name) and self.filters.show == self.list_name

	@classmethod
	def defaults(cls) -> dict:
		"""The filters that the form begins with, as far as they narrow what is counted."""
		if not cls.months:
			return {}
		today = nowdate()
		return {"from_date": str(add_months(getdate(today), -cls.months)), "to_date": today}

	def shown(self) -> tuple:
		if self.is_list:
			rows, total = self.page()
			_refuse_partial_export(total)
			columns, words = self.list_columns(), [_cut(total), self.list_message(rows)]
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
		"""The first rows of the list, and how many there are."""
		everything = self.all_listed()
		if everything is not None:
			return self._shown_list(everything[:MOST_ROWS]), len(everything)
		listing = self.listing()
		found = listing.rows(most=MOST_ROWS + 1)
		total = len(found)
		if total > MOST_ROWS:
			found, total = found[:MOST_ROWS], self.count_listing(listing)
		return self._shown_list(found), total

	def all_pages(self) -> Iterator[list[dict]]:
		"""All rows of the list, some thousands at a time."""
		everything = self.all_listed()
		if everything is not None:
			for start in range(0, len(everything), ROWS_AT_ONCE):
				yield self._shown_list(everything[start : start + ROWS_AT_ONCE])
			return
		listing, start = self.listing(), 0
		while found := listing.rows(start, ROWS_AT_ONCE):
			yield self._shown_list(found)
			start += len(found)

	def _shown_list(self, found: list) -> list[dict]:
		"""Some rows of the list. What is left of a deleted lead has no name, and nothing that could be opened."""
		rows = self.listed(found)
		for row in rows:
			if str(row.get("lead") or "").startswith(DELETED):
				row.update({"lead": None, "title": _("Deleted Lead")})
		return rows

	def where(self, created: bool = True) -> Where:
		"""See `leads_where`; of this report's reader and filters."""
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
		"""SQL: the condition of the count whose rows the list shows; of all rows, if it is none."""
		return self.counts.get(self.filters.count, "1 = 1")

	def links(self, names: Iterable[str] | None = None, **more) -> dict[str, str]:
		"""Count to the address of this report's list of what it counts."""
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


# who reads it


def _reader(report: str, filters) -> str:
	"""Whose permissions count: those of the session's user, or those that an Auto Email Report names.

	Frappe mails reports as Administrator. `keep_reader` has put the user of whom the mail says that it follows their
	permissions into its filters; only who could have it mailed in that user's name may ask so.
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
	"""Auto Email Report `validate`: a report of ours is told whose permissions its mail says to follow."""
	report = frappe.get_cached_value("Report", doc.report, ["module", "report_type"], as_dict=True)
	if not report or (report.module, report.report_type) != ("Lead Quality", "Script Report"):
		return
	filters = frappe.parse_json(doc.filters) if doc.filters else {}
	doc.filters = json.dumps({**filters, "reader": doc.user})


# more rows than a browser bears


def _cut(total: int) -> str | None:
	if total <= MOST_ROWS:
		return None
	return _("The first {0} of {1} rows are shown. {2} exports all of them to a file.").format(
		frappe.bold(_number(MOST_ROWS)), frappe.bold(_number(total)), frappe.bold(_("Export All Rows"))
	)


def _number(value: int) -> str:
	return figure(value, 0)


def _refuse_partial_export(total: int):
	"""Nobody is given a part of the rows who has asked for a file of them."""
	if total > MOST_ROWS and frappe.form_dict.get("cmd") == "frappe.desk.query_report.export_query":
		frappe.throw(
			_("There are {0} rows, and only the first {1} are shown. Choose Export All Rows.").format(
				frappe.bold(_number(total)), frappe.bold(_number(MOST_ROWS))
			)
		)


@frappe.whitelist(methods=["POST"])
def export_all_rows(report: str, filters: str | dict | None = None):
	"""Write all rows of a report's list to a file, in the background; the user is told when it is ready.

	:raises frappe.PermissionError: to who may not run the report, or may not export what it is of.
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
	"""Background job: the file of `export_all_rows`, and the word to its user.

	:returns: the name of the File.
	"""
	shown = report_class(report)(filters)
	name = f"{_(report)} {nowdate()}"
	with tempfile.TemporaryFile() as packed:
		# packed, as a site takes files of some megabytes only
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
	columns = shown.list_columns() if shown.is_list else shown.columns()
	writer.writerow([column["label"] for column in columns])
	for rows in shown.all_pages() if shown.is_list else [shown.rows()]:
		writer.writerows([_as_text(row.get(column["fieldname"])) for column in columns] for row in rows)


def report_class(report: str) -> type[Report]:
	"""The class of a report of ours.

	:raises frappe.ValidationError: if it is none of ours.
	"""
	name = frappe.scrub(report)
	try:
		module = import_module(f"lead_quality.lead_quality.report.{name}.{name}")
	except ModuleNotFoundError:
		frappe.throw(_("{0} is not a report of Lead Quality.").format(frappe.bold(markup_free(report))))
	return module.execute.__self__


def _as_text(value):
	"""A value as a file has it. A spreadsheet would compute a text that begins like a formula."""
	if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
		return f"'{value}"
	return value


# what is shown is no markup


def markup_free(value):
	"""A text that the desk, a mail or a file shows as it is, whatever it says.

	Frappe cleans what is saved through it, and shows texts as HTML; what came into a table past it is not clean.
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
	"""`part` of `whole` in percent; None, which is shown empty, where there is nothing to take a share of."""
	return part / whole * 100 if whole else None


def nearest_rank(values: Sequence[float], percentile: float) -> float | None:
	"""The percentile by nearest rank: the smallest value that at least so many percent of the values do not exceed.

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
	"""What the leads without a source are called; a source may well be called Unknown."""
	return _("No Source")


# columns


def column(fieldname: str, label: str, fieldtype: str = "Data", width: int = 130, **more) -> dict:
	# Frappe's table takes words for numbers where the first row has none
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
	"""The checklist that the filters name, else the active one that judges most of the leads that a user may see, else
	None."""
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
