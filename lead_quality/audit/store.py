"""The tables that were read, in an embedded database, and the one row a lead that is made of them."""

import csv
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from sys import intern

import duckdb

from lead_quality.audit import evidence
from lead_quality.audit.columns import FIELDS, MOMENT, NUMBER, OF_ROWS
from lead_quality.audit.labels import words
from lead_quality.audit.parts import Readers
from lead_quality.audit.readers import Table, Value
from lead_quality.engine.clock import UNREACHED
from lead_quality.engine.conversion import TWO_WAY
from lead_quality.engine.priority import FILLED, SAID

_TYPES = {MOMENT: "timestamp", NUMBER: "double"}
_CONTACT = {
	"doctype": "varchar",
	"name": "varchar",
	"held_at": "timestamp",
	"channel": "varchar",
	"is_sent": "boolean",
	"is_talk": "boolean",
	"outcome": "varchar",
	"sender": "varchar",
	"recipients": "varchar",
	"reference_doctype": "varchar",
	"reference_name": "varchar",
}
_COLUMNS = {
	kind: {field: _TYPES.get(of_type, "varchar") for field, (of_type, _labels) in fields.items()}
	for kind, fields in FIELDS.items()
}
_COLUMNS["Communication"] = _CONTACT
_LINK = dict.fromkeys(("parenttype", "parent", "link_doctype", "link_name"), "varchar")
# what other tables than the one of their DocType hold
_INSTEAD = {
	"Call Log": "Communication",
	"Event": "Communication",
	"Communication Link": "Dynamic Link",
	"Event Participants": "Dynamic Link",
}
_COLUMNS["Dynamic Link"] = _LINK
for _kind in _INSTEAD:
	del _COLUMNS[_kind]
NAMES = {kind: kind.lower().replace(" ", "_") for kind in _COLUMNS}
ROWS_AT_ONCE = 5_000
MEMORY = "700MB"  # that the tables may take, before they go to the disk
SAID_FIELDS = (*FILLED, "territory")
FOREVER = datetime(9999, 1, 1)  # the database has no datetime.max
# what an anonymous audit shows of leads as it stands there
SHOWN_TEXTS = ("source", "utm_source", "status", "campaign_name", "utm_campaign", "territory", *SAID)
LONGEST_NAME = 6  # words
FEWEST_CONTACTS = 100  # that it takes to say when people work

# what ERPNext's status of a document says, in the languages whose words are known; what it does not name is none of these
DRAFT = words("draft")
CANCELLED = words("cancelled")
CONVERTED = words("converted")
LOST = words("lost quotation")
NO_CONTACT = words("do not contact")
LOST_OPPORTUNITY = words("lost")
QUOTATION_STATUS = words("quotation")
OPPORTUNITY_STATUS = words("opportunity")
REPLIED = words("replied", "interested")
_IS_HELD = f"outcome is distinct from '{evidence.PLANNED}'"
# what an Opportunity and a Quotation may be made for beside a Lead; in other languages the lead's name tells
NO_LEAD = "('Customer', 'Prospect')"


_HOLIDAY_LIST = """
	with named as (
		select company.default_holiday_list as list, count(lead.name) as leads, any_value(company.name) as company
		from company left join lead on lead.company = company.name
		where company.default_holiday_list != '' group by company.default_holiday_list
	), only_one as (select any_value(parent) as list from holiday having count(distinct parent) = 1)
	select list from (
		select list, leads, company from named where list in (select parent from holiday)
		union all select list, -1, '' from only_one where list is not null
	) order by leads desc, company limit 1
"""


@dataclass(frozen=True, slots=True)
class Journey:
	"""What is known of one lead: all instants naive, in the site's zone; `value` of its first order, None without one or
	where no amount in the company's currency is known.

	`status` is ERPNext's, in its own English words where they are known. `touches` are a person's, `tries` those of them that
	were outbound, before the first conversation if there was one. `is_customer`: there is an order or a Customer, whatever the
	status says.
	"""

	lead: str
	entered_at: datetime
	modified_at: datetime | None = None
	status: str = ""
	title: str = ""
	email: str = ""
	phones: str = ""
	source: str = ""
	owner: str = ""
	next_contact_at: datetime | None = None
	first_touch_at: datetime | None = None
	last_touch_at: datetime | None = None
	touches: int = 0
	tries: int = 0
	conversation_at: datetime | None = None
	opportunity_at: datetime | None = None
	quoted_at: datetime | None = None
	sale_at: datetime | None = None
	value: float | None = None
	over: str = ""
	is_customer: bool = False


@dataclass(frozen=True, slots=True)
class Busy:
	"""The full hours of a weekday (0 is Monday) between which nine of ten contacts are made by people, and how many these are."""

	weekday: int
	opens: int
	closes: int
	contacts: int


class Store:
	"""An embedded database in memory; what does not fit goes to a folder of its own that is removed with it."""

	def __init__(self) -> None:
		self._folder = tempfile.TemporaryDirectory(prefix="lead-quality-")
		self.database = duckdb.connect(config={"temp_directory": self._folder.name, "memory_limit": MEMORY})
		self.fields: dict[str, set[str]] = {}
		self._readers = Readers()
		for kind, columns in _COLUMNS.items():
			self.database.execute(
				f"create table {NAMES[kind]} ({', '.join(f'{name} {of_type}' for name, of_type in columns.items())})"
			)

	def __enter__(self) -> "Store":
		return self

	def __exit__(self, *_error: object):
		self._readers.close()
		self.database.close()
		self._folder.cleanup()

	def has(self, kind: str, field: str | None = None) -> bool:
		"""Whether a table of this DocType was read, and had this column."""
		return kind in self.fields and (field is None or field in self.fields[kind])

	def load(self, table: Table, progress: Callable[[int], None] = lambda rows: None):
		"""Read a table to its end.

		:param progress: told how many rows there are, now and then.
		"""
		kind = _INSTEAD.get(table.kind, table.kind)
		path = Path(self._folder.name) / "rows.csv"
		with path.open("w", encoding="utf-8", newline="") as file:
			for text in self._readers.read(table, _as_csv):
				file.write(text)
				progress(table.counted)
		columns = ", ".join(f"'{name}': '{of_type}'" for name, of_type in _COLUMNS[kind].items())
		if path.stat().st_size:
			self.database.execute(
				f"insert into {NAMES[kind]} select * from read_csv(?, columns = {{{columns}}}, header = false, "
				"auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '')",
				[str(path)],
			)
		path.unlink()
		self.fields.setdefault(table.kind, set()).update(table.fields)

	def one(self, query: str, values: Mapping[str, object] | None = None) -> object:
		"""The one value that a query gives."""
		row = self.database.execute(query, dict(values or {})).fetchone()
		return row[0] if row else None

	def as_of(self, latest: datetime = datetime.max) -> datetime | None:
		"""The last instant up to `latest` at which anything was made or held; None of nothing."""
		dated = [kind for kind, columns in _COLUMNS.items() if "creation" in columns]
		parts = [f"select max(creation) as held_at from {NAMES[kind]}" for kind in dated]
		parts += [
			"select max(modified) from lead",
			f"select max(held_at) from communication where {_IS_HELD}",
		]
		found = self.one(
			f"select max(held_at) from ({' union all '.join(parts)}) where held_at <= $until",
			{"until": min(latest, FOREVER)},
		)
		return found if isinstance(found, datetime) else None

	def currency(self) -> str:
		"""In what most orders are whose total is the same in the company's currency; empty, if they do not say."""
		return str(
			self.one(
				"select currency from sales_order where currency is not null group by 1 "
				"having not bool_or(coalesce(abs(base_grand_total - grand_total) > 0.011, false)) order by count(*) desc, 1"
			)
			or ""
		)

	def busy_hours(self) -> list[Busy]:
		"""When people write, call and visit, on the weekdays that have a tenth of the busiest one's contacts or more; a day with
		few of them has the hours of all. Empty, if it is too little to say."""
		sent = f"from communication where is_sent and {_IS_HELD}"
		whole = "count(*), quantile_disc(hour(held_at), 0.05), quantile_disc(hour(held_at), 0.95)"
		row = self.database.execute(f"select {whole} {sent}").fetchone()
		if row is None or row[0] < FEWEST_CONTACTS:
			return []
		days = self.database.execute(
			f"select isodow(held_at) - 1 as day, {whole} {sent} group by 1 qualify count(*) >= 0.1 * max(count(*)) over () order by 1"
		).fetchall()
		return [
			Busy(day, *((opens, closes + 1) if n >= FEWEST_CONTACTS else (row[1], row[2] + 1)), n)
			for day, n, opens, closes in days
		]

	def repeated(self) -> int:
		"""How many lines repeat the ID of a lead: a report with rows of a table has one for each of them."""
		return int(str(self.one("select count(name) - count(distinct name) from lead")))

	def said(self, leads: Sequence[str]) -> dict[str, dict[str, Value]]:
		"""What some leads say of themselves, by what `engine.priority` learns from: `SAID_FIELDS`, and their `campaign`."""
		columns = ", ".join(f"any_value({field})" for field in SAID_FIELDS)
		rows = self.database.execute(
			f"select name, {columns}, any_value(coalesce(utm_campaign, campaign_name)) from lead "
			"where name in (select unnest(?::varchar[])) group by name",
			[list(leads)],
		).fetchall()
		return {name: dict(zip((*SAID_FIELDS, "campaign"), said, strict=True)) for name, *said in rows}

	def named(self, texts: Iterable[str]) -> frozenset[str]:
		"""Those of some texts, and of what leads say of themselves in few words, in which the whole name of a lead, an
		organization or an owner stands."""
		columns = " union ".join(f"select {column} from lead" for column in SHOWN_TEXTS)
		some = {*texts, *(text for (text,) in self.database.execute(columns).fetchall() if text)}
		holding: dict[str, set[str]] = {}
		for text in some:
			parts = re.findall(r"[^\W_]+", text.lower())
			for begin in range(len(parts)):
				for end in range(begin + 1, min(begin + LONGEST_NAME, len(parts)) + 1):
					holding.setdefault(" ".join(parts[begin:end]), set()).add(text)
		names = self.database.execute(_NAMES, [list(holding)]).fetchall()
		return frozenset(text for (name,) in names for text in holding[name])

	def belonging(self) -> dict[str, tuple[int, int]]:
		"""How many opportunities, quotations and orders there are, and how many of them belong to a lead."""
		row = self.database.execute(_BELONGING, {"currency": self.currency()}).fetchone() or [0] * 6
		kinds = ("Opportunity", "Quotation", "Sales Order")
		return {kind: (row[2 * place], row[2 * place + 1]) for place, kind in enumerate(kinds)}

	def lost_reasons(self, now: datetime) -> list[tuple[str, int]]:
		"""Why opportunities and quotations of leads were lost, with how many leads they are of, the commonest first; spellings
		that differ in case only are one."""
		return self.database.execute(_LOST_REASONS, {"now": now}).fetchall()

	def holidays(self) -> tuple[str, frozenset[date]]:
		"""The Holiday List of the company with the most leads, and its days; of a site that has one list only, that one. Without
		any, no name and no days."""
		found = self.database.execute(_HOLIDAY_LIST).fetchone()
		if not found:
			return "", frozenset()
		days = self.database.execute(
			"select distinct holiday_date from holiday where parent = $list and holiday_date is not null",
			{"list": found[0]},
		).fetchall()
		return str(found[0]), frozenset(at.date() for (at,) in days)

	def journeys(self, now: datetime = datetime.max) -> Iterator[Journey]:
		"""One row a lead, by entry and name, with the contacts that were held and the documents that were made by `now`."""
		cursor = self.database.cursor()
		cursor.execute(_JOURNEYS, {"currency": self.currency(), "now": min(now, FOREVER)})
		while rows := cursor.fetchmany(ROWS_AT_ONCE):
			for row in rows:
				cells = list(row)
				for place in (3, 7, 8):  # status, source, owner: what many leads share is in memory once
					cells[place] = intern(cells[place])
				yield Journey(*cells)


def _as_csv(table: Table) -> Iterator[str]:
	"""The rows of a table as the database takes them."""
	kind = _INSTEAD.get(table.kind, table.kind)
	if kind == "Communication":
		rows: Iterator[Sequence[Value]] = _contacts(table)
	else:
		rows = _links(table) if kind == "Dynamic Link" else _plain_rows(table)
	while some := list(islice(rows, ROWS_AT_ONCE)):
		text = StringIO(newline="")
		csv.writer(text, quoting=csv.QUOTE_MINIMAL).writerows(some)
		yield text.getvalue()


def _plain_rows(table: Table) -> Iterator[Sequence[Value]]:
	"""Rows in the order of the database's columns. A line of a table's row, which has nothing of its own document, is of
	the one above; a lead without ID has its number."""
	names = list(_COLUMNS[table.kind])
	above: Mapping[str, Value] = {}
	for number, row in enumerate(table.rows(), start=1):
		if table.kind == "Lead" and not row.get("name"):
			row["name"] = f"line {number}"
		name = str(row.get("name") or "").strip('"') or None
		if (
			name is None
			and "name" in row
			and (said := {field: row[field] for field in OF_ROWS if row.get(field)})
		):
			row = {**above, **said}
		else:
			row["name"] = name
			above = row
		yield [row.get(field) for field in names]


_READERS = {"Communication": evidence.read, "Call Log": evidence.read_call, "Event": evidence.read_event}


def _contacts(table: Table) -> Iterator[Sequence[Value]]:
	read = _READERS[table.kind]
	for row in table.rows():
		contact = read(row)
		if contact:
			yield contact


def _links(table: Table) -> Iterator[Sequence[Value]]:
	"""Rows of tables that say with which leads a contact was held; of those of all documents, a call's only."""
	for row in table.rows():
		if table.kind == "Event Participants":
			yield ["Event", row["parent"], row["reference_doctype"], row["reference_docname"]]
		elif table.kind == "Communication Link":
			yield ["Communication", row["parent"], row["link_doctype"], row["link_name"]]
		elif row["parenttype"] == "Call Log":
			yield [row["parenttype"], row["parent"], row["link_doctype"], row["link_name"]]


def _among(values: Iterable[str]) -> str:
	return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")"


# whole names, as words with a blank between them; of an owner's address what stands before the @, if it is of several words
_NAMES = r"""
with names as (
	select lead_name as name from lead union select company_name from lead union
	select if(contains(owner, '@'), nullif(regexp_replace(split_part(owner, '@', 1), '^[^._-]*$', ''), ''), owner) from (
		select lead_owner as owner from lead union select opportunity_owner from opportunity
	)
),
plain as (select distinct trim(regexp_replace(lower(name), '[^\p{L}\p{N}]+', ' ', 'g')) as name from names)
select name from plain where length(name) > 2 and name in (select unnest(?::varchar[]))
"""

_OF_LEADS = f"""
with leads as (
	select name, min(creation) as creation, max(modified) as modified, any_value(status) as status,
		any_value(coalesce(lead_name, company_name)) as title, any_value(email_id) as email_id,
		concat_ws('|', any_value(mobile_no), any_value(phone), any_value(whatsapp_no)) as phones,
		any_value(coalesce(utm_source, source)) as source, any_value(lead_owner) as lead_owner, max(contact_date) as contact_date
	from lead group by name
),
opportunities as (
	select distinct o.name, o.creation, lower(o.status) as status, l.name as lead
	from opportunity o join leads l
		on l.name = coalesce(o.lq_lead, if(coalesce(o.opportunity_from, 'Lead') in {NO_LEAD}, null, o.party_name))
),
prospects as (
	select line.parent as name, arg_min(l.name, (l.creation, l.name)) as lead
	from prospect_lead line join leads l on l.name = line.lead group by line.parent
),
quotations as (
	select distinct q.name, q.creation, l.name as lead from quotation q
	left join opportunities o on o.name = q.opportunity
	left join prospects p on p.name = q.party_name and q.quotation_to = 'Prospect'
	join leads l
		on l.name = coalesce(if(coalesce(q.quotation_to, 'Lead') in {NO_LEAD}, null, q.party_name), o.lead, p.lead)
)"""

# the orders that count, and the lead to which each is credited
_ORDERS = f"""standing as (
	select * from sales_order
	where coalesce(docstatus, 1) = 1 and lower(coalesce(status, '')) not in {_among((*DRAFT, *CANCELLED))}
),
by_quotation as (
	select distinct s.name, q.lead from standing s
	left join sales_order_item line on line.parent = s.name
	join quotations q on q.name in (s.prevdoc_docname, line.prevdoc_docname)
),
by_customer as (
	select distinct s.name, coalesce(l.name, o.lead, p.lead) as lead
	from standing s join customer c on c.name = s.customer
	left join leads l on l.name = c.lead_name
	left join opportunities o on o.name = c.opportunity_name
	left join prospects p on p.name = c.prospect_name
	where coalesce(l.name, o.lead, p.lead) is not null and s.name not in (select name from by_quotation)
),
orders as (
	select credited.lead, s.name, min(s.creation) as creation,
		any_value(coalesce(s.base_grand_total,
			if(coalesce(s.currency, $currency) = $currency, s.grand_total, null))) as value
	from (select * from by_quotation union all select * from by_customer) credited
	join standing s on s.name = credited.name
	group by credited.lead, s.name
)"""

_BELONGING = f"""{_OF_LEADS},
{_ORDERS}
select (select count(distinct name) from opportunity), (select count(distinct name) from opportunities),
	(select count(distinct name) from quotation), (select count(distinct name) from quotations),
	(select count(distinct name) from standing), (select count(distinct name) from orders)
"""

_LOST_REASONS = f"""{_OF_LEADS},
said as (
	select o.lead, r.reason from opportunities o join (
		select name as parent, lost_reason as reason from opportunity
		union all select parent, lost_reason from opportunity_lost_reason_detail
	) r on r.parent = o.name where o.creation <= $now
	union all
	select q.lead, r.reason from quotations q join (
		select name as parent, lost_reason as reason from quotation
		union all select parent, lost_reason from quotation_lost_reason_detail
	) r on r.parent = q.name where q.creation <= $now
)
select min(reason), count(distinct lead) from said where reason is not null group by lower(reason) order by 2 desc, 1
"""

# Contacts with a lead, by its reference or that of its Opportunity. A mail among colleagues is none; who writes to us has
# answered if we had written, called or been there before.
_JOURNEYS = f"""{_OF_LEADS},
colleagues as (
	select distinct lower(address) as address from (
		select lead_owner as address from lead
		union all select opportunity_owner from opportunity
		union all select sender from communication where is_sent
	) where address like '%@%'
),
{_ORDERS},
sales as (
	select lead, min(creation) as held_at, arg_min(value, (creation, name)) as value from orders
	where coalesce(creation <= $now, true) group by lead
),
interest as (
	select lead, min(creation) as held_at, bool_and(status in {_among(LOST_OPPORTUNITY)}) as is_lost
	from opportunities where coalesce(creation <= $now, true) group by lead
),
proposals as (select lead, min(creation) as held_at from quotations where coalesce(creation <= $now, true) group by lead),
customers as (
	select distinct coalesce(l.name, o.lead, p.lead) as lead from customer c
	left join leads l on l.name = c.lead_name
	left join opportunities o on o.name = c.opportunity_name
	left join prospects p on p.name = c.prospect_name
	where coalesce(c.creation <= $now, true)
),
external as (
	select distinct c.rowid as row from communication c, unnest(string_split(c.recipients, '|')) as t(address)
	where t.address != '' and t.address not in (select address from colleagues)
),
named as (
	select c.rowid as contact, c.reference_doctype as doctype, c.reference_name as name
	from communication c where c.reference_name is not null
	union all
	select c.rowid, link.link_doctype, link.link_name
	from communication c join dynamic_link link on link.parenttype = c.doctype and link.parent = c.name
),
held_with as (
	select distinct n.contact, coalesce(l.name, o.lead) as lead from named n
	left join leads l on l.name = n.name and coalesce(n.doctype, 'Lead') = 'Lead'
	left join opportunities o on o.name = n.name and coalesce(n.doctype, 'Opportunity') = 'Opportunity'
	where coalesce(l.name, o.lead) is not null
),
contacts as (
	select w.lead, c.held_at, c.is_sent, c.is_talk, c.outcome
	from held_with w join communication c on c.rowid = w.contact
	where c.held_at <= $now and {_IS_HELD} and if(
		c.is_sent,
		c.recipients is null or c.rowid in (select row from external),
		c.is_talk or c.sender is null or c.sender not in (select address from colleagues)
	)
),
said as (
	select lead, held_at, is_sent, is_talk,
		if(is_talk, outcome, if(not is_sent and min(held_at) filter (is_sent) over (partition by lead) <= held_at, 'Replied', null))
			as outcome
	from contacts
),
touches as (
	select lead, held_at, is_sent,
		coalesce(outcome, '') not in {_among(UNREACHED)} and (is_sent or (is_talk and outcome in {_among(TWO_WAY)})) as is_human,
		min(held_at) filter (outcome in {_among(TWO_WAY)}) over (partition by lead) as conversation_at
	from said
),
held as (
	select lead, min(held_at) filter (is_human) as first_at, max(held_at) filter (is_human) as last_at,
		count(*) filter (is_human) as touches,
		count(*) filter (is_human and is_sent and held_at < coalesce(conversation_at, 'infinity'::timestamp)) as tries,
		max(conversation_at) as conversation_at
	from touches group by lead
),
planned as (
	select w.lead, min(c.held_at) as held_at from held_with w join communication c on c.rowid = w.contact
	where c.held_at > $now and not {_IS_HELD} group by w.lead
)
select l.name, l.creation, l.modified, coalesce(l.status, ''), coalesce(l.title, ''), coalesce(l.email_id, ''),
	coalesce(l.phones, ''), coalesce(l.source, ''), coalesce(l.lead_owner, ''), greatest(l.contact_date, a.held_at),
	h.first_at, h.last_at, coalesce(h.touches, 0), coalesce(h.tries, 0), h.conversation_at,
	i.held_at, p.held_at, s.held_at, s.value,
	case
		when lower(l.status) in {_among(CONVERTED)} or s.lead is not null or c.lead is not null then 'Converted'
		when lower(l.status) in {_among(NO_CONTACT)} then 'No Contact'
		when lower(l.status) in {_among(LOST)}
			or (i.is_lost and lower(coalesce(l.status, '')) not in {_among(QUOTATION_STATUS)}) then 'Lost'
		else ''
	end,
	s.lead is not null or c.lead is not null
from leads l
left join held h on h.lead = l.name
left join planned a on a.lead = l.name
left join interest i on i.lead = l.name
left join proposals p on p.lead = l.name
left join sales s on s.lead = l.name
left join customers c on c.lead = l.name
order by l.creation, l.name
"""
