"""Queries over many rows: conditions with bound values, the reader's permissions, and paged lists."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import frappe
from frappe.utils import add_days, getdate

from lead_quality.base.query import run
from lead_quality.base.versions import lead_field, source_doctype
from lead_quality.permissions import bindable, list_condition

# a limit makes MariaDB compute the columns of a subquery once, and not again wherever they are named
ALL = "limit 18446744073709551615"


def number_of(text: str) -> str:
	"""SQL: a number of 64 bits for a text, itself an SQL expression. Rows are found, sorted and grouped several times faster
	by numbers than by texts: among a million texts, two have the same number on one site of thirty million."""
	return f"(crc32({text}) << 32 | crc32(reverse({text})))"


class Where:
	"""The conditions of one query and their values. Columns are literals in the code; values from users are bound.

	:param user: whose permissions `visible` applies; by default the session's.
	"""

	def __init__(self, user: str | None = None):
		self.user = user or frappe.session.user
		self.conditions: list[str] = []
		self.values: dict = {}

	def add(self, condition: str, **values):
		self.conditions.append(condition)
		self.values.update(values)

	def equal(self, column: str, value):
		"""The column has this value. An empty value adds no condition."""
		if value:
			self.add(f"{column} = {self._bind(value)}")

	def blank(self, column: str):
		"""The column has no value."""
		self.add(f"ifnull({column}, '') = ''")

	def among(self, column: str, values: Iterable):
		"""The column has one of these values. Without values no row matches, which SQL cannot express as `in ()`."""
		values = tuple(values)
		self.add(f"{column} in {self._bind(values)}" if values else "1 = 0")

	def within(self, instant: str, from_date=None, to_date=None):
		"""An instant lies between two days in the site's zone, both included. An empty day leaves that end open."""
		if from_date:
			self.add(f"{instant} >= {self._bind(getdate(from_date))}")
		if to_date:
			self.add(f"{instant} < {self._bind(add_days(getdate(to_date), 1))}")

	def visible(self, doctype: str, template: str = "{}"):
		"""Only rows that the user's list of this DocType would show. The query must use the table without an alias.

		:param template: SQL around the condition, such as a subquery.
		"""
		condition = list_condition(doctype, self.user)
		if condition:
			self.add(template.format(bindable(condition)))

	def count(self, doctype: str) -> int:
		"""How many rows of a DocType's table match the conditions."""
		return self.select(f"select count(*) as found from `tab{doctype}` where {{where}}")[0].found

	def select(self, query: str, **values) -> list:
		"""The rows of a query with `{where}` as the place of the conditions."""
		return Select(query, self, values).rows()

	def _bind(self, value) -> str:
		key = f"value_{len(self.values)}"
		self.values[key] = value
		return f"%({key})s"

	def __str__(self) -> str:
		return " and ".join(f"({condition})" for condition in self.conditions) or "1 = 1"


@dataclass(frozen=True)
class Select:
	"""A query with `{where}` as the place of its conditions, and further values to bind.

	It must have an `order by`; otherwise its pages would differ from one call to the next.
	"""

	query: str
	where: Where
	values: dict = field(default_factory=dict)

	def rows(self, start: int = 0, most: int | None = None) -> list:
		"""All rows, or one page of them."""
		page = "" if most is None else f" limit {int(most)} offset {int(start)}"
		return self._run(self.query + page)

	def count(self) -> int:
		return self._run(f"select count(*) as `rows` from ({self.query}) counted")[0]["rows"]

	def _run(self, query: str) -> list:
		return run(
			query.replace("{where}", str(self.where)), {**self.where.values, **self.values}, as_dict=True
		)


def leads_where(filters, created: bool = True, user: str | None = None) -> Where:
	"""The leads that the user may see, restricted to the filters' company, segment, and by default period.

	:param filters: `company`, `segment`, `from_date`, `to_date`.
	:param created: the period applies to the lead's creation; False if the caller uses another instant.
	:param user: whose permissions apply; by default the session's user.
	"""
	where = Where(user)
	where.visible("Lead")
	where.equal("`tabLead`.company", filters.company)
	where.equal("`tabLead`.lq_segment", filters.segment)
	if created:
		where.within("`tabLead`.creation", filters.from_date, filters.to_date)
	return where


def sources(of_deleted: bool = False) -> str:
	"""Joins `source_of` to `tabLead`: `source_of.spelling` is the spelling of a lead's source, null without a source.

	The database does not distinguish "Google" from "google", but Python does. Each source therefore gets one spelling:
	that of its own record, or else the first in byte order.

	:param of_deleted: include the sources of deleted leads.
	"""
	source = f"`{lead_field('source')}`"
	leads = "`tabLead`"
	if of_deleted:
		leads = f"(select {source} from `tabLead` union all select source from `tabLead Remnant`) `tabLead`"
	return f"""
		left join (
			select l.source as value, coalesce(m.name, l.source) as spelling
			from (
				select s.source, row_number() over (partition by s.source order by binary s.source) as nth
				from (
					select min({source}) as source from {leads} where ifnull({source}, '') != '' group by binary {source}
				) s
			) l
			left join `tab{source_doctype()}` m on m.name = l.source
			where l.nth = 1
		) source_of on source_of.value = `tabLead`.{source}
	"""
