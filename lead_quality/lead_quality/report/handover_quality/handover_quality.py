"""How good are the leads that marketing hands to sales: the cry-wolf index, what lacked a criterion, what they are
worth."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import erpnext
import frappe
from frappe import _
from frappe.utils import cint, flt, fmt_money, format_date

from lead_quality.base import query
from lead_quality.base.currency import rates_into
from lead_quality.base.queries import Select, Where, sources
from lead_quality.base.report import (
	DECIDED,
	Report,
	bars,
	column,
	count_column,
	figure,
	full_names,
	markup_free,
	no_source,
	on_top,
	percent,
	percent_column,
	share_in_words,
	user_column,
)
from lead_quality.funnel import remnants
from lead_quality.funnel.targets import REACHED_AT
from lead_quality.permissions import bindable, lead_condition, list_condition

# the criterion that is looked at where none is chosen and some checklist asks for it
DEFAULT_CRITERION = "need"

# A stage is the merit of the latest handover before it: where a lead that one rep has rejected is handed to another, who
# sells, only the second became a sale. What was corrected since, or was taken back as an order was cancelled, is not in
# the journey, `j`.
ENTERED = """
	ifnull({at} >= `tabLead Handover`.sent_at, 0) and not exists (
		select 1 from `tabLead Handover` later
		where
			later.lead = `tabLead Handover`.lead
			and later.status != 'Draft'
			and later.sent_at > `tabLead Handover`.sent_at
			and later.sent_at <= {at}
	)
"""
BECAME_OPPORTUNITY = ENTERED.format(at=REACHED_AT["Opportunity"])
BECAME_SALE = ENTERED.format(at=REACHED_AT["Sale"])

# one row per handover
FACTS = """
	select
		`tabLead Handover`.name as handover,
		`tabLead Handover`.lead,
		`tabLead Handover`.lead_name as title,
		`tabLead Handover`.from_user,
		`tabLead Handover`.to_user,
		`tabLead Handover`.status,
		`tabLead Handover`.sent_at,
		`tabLead Handover`.decided_at,
		`tabLead Handover`.reason,
		`tabLead Handover`.checklist,
		`tabLead Handover`.expected_value,
		nullif(`tabLead Handover`.currency, '') as currency,
		source_of.spelling as source,
		nullif(`tabLead`.lq_segment, '') as segment,
		{group} as group_name,
		case when `tabLead Handover`.checklist in %(asking)s then
			find_in_set(%(criterion)s, replace(ifnull(`tabLead Handover`.met_criteria, ''), ' ', '')) = 0
		end as is_without,
		{opportunity} as became_opportunity,
		{sale} as became_sale
	from `tabLead Handover`
	join `tabLead` on `tabLead`.name = `tabLead Handover`.lead
	left join `tabLead Journey` j on j.name = `tabLead Handover`.lead
	{sources}
	where {where} and `tabLead Handover`.status != 'Draft'
"""


def _of_deleted(facts: str) -> str:
	"""The same of what is left of the handovers of deleted leads."""
	for here, there in {
		"`tabLead Handover`.name as handover": "null as handover",
		"`tabLead Handover`.lead_name as title": "null as title",
		"from `tabLead Handover` later": "from `tabHandover Remnant` later",
		"from `tabLead Handover`\n": "from `tabHandover Remnant` `tabLead Handover`\n",
		"join `tabLead` on": f"join {remnants.as_leads()} `tabLead` on",
	}.items():
		facts = facts.replace(here, there)
	return facts


class HandoverQuality(Report):
	"""One row per marketer, rep, source, segment, checklist or month of the handovers sent within the period.

	:param filters: `group_by`, `from_date`, `to_date` (of `sent_at`), `company`, `segment` (of the lead today),
	    `criterion`; `show`, and of the list `count`, the fieldname of a count, and `group`, whose it is, or
	    `without_group`.
	"""

	name = "Handover Quality"
	months = 12
	list_name = "Handovers"
	groups = {
		"Marketer": "`tabLead Handover`.from_user",
		"Rep": "`tabLead Handover`.to_user",
		"Source": "source_of.spelling",
		"Segment": "nullif(`tabLead`.lq_segment, '')",
		"Checklist": "nullif(`tabLead Handover`.checklist, '')",
		"Month": "date_format(`tabLead Handover`.sent_at, '%%Y-%%m')",
	}
	# conditions on the rows of FACTS
	counts = {
		"handed_over": "1 = 1",
		"accepted": "fact.status = 'Accepted'",
		"rejected": "fact.status = 'Rejected'",
		"returned": "fact.status = 'Returned'",
		"pulled_back": "fact.status = 'Pulled Back'",
		"waiting": "fact.status = 'Sent'",
		"decided": "fact.status in %(decided)s",
		"asked": "fact.is_without is not null",
		"without": "fact.is_without = 1",
		"became_opportunity": "fact.became_opportunity = 1",
		"became_sale": "fact.became_sale = 1",
	}
	kept = ("from_date", "to_date", "company", "segment", "group_by", "criterion")

	def set_filters(self):
		super().set_filters()
		self.definitions = Definitions()
		self.filters.criterion = self.filters.criterion or self.definitions.default_criterion

	def where(self, created: bool = True) -> Where:
		"""The handovers that the user's list of them would show, sent within the period; also of deleted leads."""
		where = Where(self.user)
		seen = self.seen()
		if seen:
			where.add(" or ".join(f"({condition})" for condition in seen))
		where.equal("`tabLead`.company", self.filters.company)
		where.equal("`tabLead`.lq_segment", self.filters.segment)
		where.within("`tabLead Handover`.sent_at", self.filters.from_date, self.filters.to_date)
		return where

	def facts(self) -> str:
		facts = FACTS
		for name, expression in {
			"{group}": self.groups[self.filters.group_by],
			"{opportunity}": BECAME_OPPORTUNITY,
			"{sale}": BECAME_SALE,
			"{sources}": sources(of_deleted=self.counts_deleted),
		}.items():
			facts = facts.replace(name, expression)
		if self.counts_deleted:
			facts = f"{facts} union all {_of_deleted(facts)}"
		return facts

	def seen(self) -> list[str]:
		"""SQL: the handovers that the reader sees, and those of the deleted leads that count for him; none for all."""
		condition = list_condition("Lead Handover", self.user)
		if not condition:
			return []
		lead = bindable(lead_condition(self.user))
		if not self.counts_deleted or not lead:
			return [bindable(condition)]
		deleted = f"select `tabLead`.name from {remnants.as_leads()} `tabLead` where {lead}"
		return [bindable(condition), f"`tabLead Handover`.`lead` in ({deleted})"]

	@cached_property
	def counts_deleted(self) -> bool:
		return remnants.handovers_count_for(self.user)

	def values(self) -> dict:
		return {
			"asking": self.definitions.asking(self.filters.criterion),
			"criterion": self.filters.criterion,
			"decided": DECIDED,
		}

	@property
	def criterion_title(self) -> str:
		return self.definitions.title(self.filters.criterion)

	@cached_property
	def currency(self) -> str | None:
		"""That of the filters' company, else of the user's default one; amounts are converted into it."""
		return erpnext.get_company_currency(self.filters.company or erpnext.get_default_company())

	# by group

	@cached_property
	def by_group_and_month(self) -> tuple[dict[str | None, "Figures"], dict[str, "Figures"]]:
		"""What is counted of each group (None for none), and of each month that handovers were sent in ("2025-02").

		Amounts are converted by ERPNext's rate of the day sent; see `rates_into`.
		"""
		rows = self.where().select(
			f"""
			select
				fact.group_name,
				date_format(fact.sent_at, '%%Y-%%m') as month,
				fact.currency,
				case when fact.status = 'Accepted' and not fact.currency <=> %(into)s
					then date(fact.sent_at) end as rate_day,
				sum(case when fact.status = 'Accepted' then fact.expected_value else 0 end) as amount,
				sum(case when fact.status = 'Accepted' and fact.expected_value != 0 then 1 else 0 end) as amounts,
				{self.count_columns()}
			from ({self.facts()}) fact
			group by 1, 2, 3, 4
			""",
			**self.values(),
			into=self.currency,
		)
		rate = rates_into(self.currency)
		groups: dict[str | None, Figures] = defaultdict(Figures)
		months: dict[str, Figures] = defaultdict(Figures)
		for row in rows:
			figures = Figures(Counter({name: int(row[name]) for name in self.counts}))
			if row.amounts:
				is_same = row.currency and row.currency == self.currency
				factor = 1 if is_same else rate(row.currency, row.rate_day)
				if factor:
					figures.value = flt(row.amount) * factor
				else:
					figures.unvalued = int(row.amounts)
					figures.unrated = frozenset([row.currency] if row.currency else [])
			groups[row.group_name] += figures
			months[row.month] += figures
		return groups, months

	@cached_property
	def total(self) -> "Figures":
		_groups, months = self.by_group_and_month
		return sum(months.values(), Figures())

	def columns(self) -> list[dict]:
		group_by = self.filters.group_by
		user = [user_column("user", _("User"))] if group_by in ("Marketer", "Rep") else []
		without = []
		if self.filters.criterion:
			title = self.criterion_title
			# wide enough for the criterion's own heading
			width = 100 + 8 * len(title)
			without = [
				count_column("without", _("Without {0}").format(title), width),
				percent_column("without_percent", _("Without {0} %").format(title), width + 15),
			]
		return [
			column("group", _(group_by), width=170),
			count_column("handed_over", _("Handed Over"), 115),
			percent_column("cry_wolf_percent", _("Cry Wolf %"), 105),
			percent_column("acceptance_percent", _("Acceptance %"), 180),
			column("accepted_value", _("Accepted Value"), "Currency", 135, options="currency"),
			count_column("accepted", _("Accepted"), 95),
			count_column("rejected", _("Rejected"), 95),
			count_column("returned", _("Returned"), 95),
			count_column("pulled_back", _("Pulled Back"), 110),
			count_column("waiting", _("Waiting"), 85),
			count_column("decided", _("Decided"), 90),
			*without,
			count_column("became_opportunity", _("Became Opportunity"), 165),
			count_column("became_sale", _("Became Sale"), 120),
			*user,
		]

	def rows(self) -> list[dict]:
		"""One row per group. Months stand in their order, checklists in that of their titles and versions, others by
		how much was handed over; no group stands last.

		- handed over: all that was sent, a lead that was handed over twice counts twice. By what has become of it, it is
		  accepted, rejected, returned (after it was accepted), pulled back (nobody acted in time), or waiting.
		- cry wolf: rejected and returned, in percent of what was handed over (design.md, "cry-wolf index"). What was
		  pulled back or waits was handed over, but is no cry of wolf.
		- accepted of decided: in percent of what sales has accepted, rejected or returned.
		- without: the criterion was not met when the lead was sent, though its checklist asks for it; in percent of the
		  handovers whose checklist does. None, if no checklist does.
		- became opportunity, became sale: the lead entered the stage after this handover and before its next one, whether
		  or not it is still there, as in Stage Conversion. A sale without an opportunity before it counts as both.
		- accepted value: the sum of the expected values of the accepted ones in `currency`; see `Figures`.

		A share is None where there is nothing to take it of. `links` maps each count to the handovers that it counts.
		"""
		groups, _months = self.by_group_and_month
		names = full_names(groups) if self.filters.group_by in ("Marketer", "Rep") else {}
		rows = []
		for name, figures in groups.items():
			counts = figures.counts
			rows.append(
				{
					"group": self._label(name, names),
					"group_name": name,
					"user": name,
					**{count: counts[count] for count in self.counts},
					"without": counts["without"] if counts["asked"] else None,
					"without_percent": percent(counts["without"], counts["asked"]),
					"cry_wolf_percent": figures.cry_wolf,
					"acceptance_percent": figures.acceptance,
					"accepted_value": figures.accepted_value,
					"currency": self.currency,
					"links": self.links(group=name, without_group=int(not name)),
				}
			)
		return sorted(rows, key=self._place)

	def _label(self, name: str | None, names: dict[str | None, str]) -> str:
		if not name:
			return {
				"Source": no_source(),
				"Segment": _("No Segment"),
				"Checklist": _("No Checklist"),
			}.get(self.filters.group_by, _("Nobody"))
		return _month(name) if self.filters.group_by == "Month" else names.get(name, name)

	def _place(self, row: dict) -> tuple:
		name = row["group_name"]
		if name is None:
			return (1, 0, "")
		if self.filters.group_by == "Month":
			return (0, 0, name)
		if self.filters.group_by == "Checklist":
			order = self.definitions.order
			return (0, order.get(name, len(order)), name)
		return (0, -row["handed_over"], name)

	def message(self, rows: list[dict]) -> str:
		total = self.total
		if not total.counts["handed_over"]:
			return _("Nothing was handed over within this period.")
		words = [
			_(
				"Cry Wolf % is the share of handovers that sales rejected or returned. Handovers that are waiting or were "
				"pulled back count as handed over, but not as cry wolf."
			)
		]
		if self.filters.criterion:
			words.append(
				_("Without {0} counts only leads whose checklist asks for it.").format(self.criterion_title)
			)
		if total.unvalued:
			words.append(
				_(
					"Accepted Value excludes {0} handovers because there is no exchange rate from {1} to {2} for the day they "
					"were sent: add a Currency Exchange."
				).format(
					frappe.bold(total.unvalued),
					", ".join(sorted(total.unrated)) or _("an unknown currency"),
					self.currency or _("an unknown currency"),
				)
			)
		return " ".join(words)

	def chart(self, rows: list[dict]) -> dict | None:
		"""The cry-wolf index by month; or, before and after, by checklist. How many were handed over stands in
		brackets.

		In the labels and not as bars of their own, as a hundred handovers and ten percent do not share an axis.
		"""
		_groups, months = self.by_group_and_month
		if not months:
			return None
		if self.filters.group_by == "Checklist":
			shares = [(row["group"], row["handed_over"], row["cry_wolf_percent"]) for row in rows]
		else:
			shares = [
				(_month(month), months[month].counts["handed_over"], months[month].cry_wolf)
				for month in _months_between(min(months), max(months))
			]
		return bars(
			[f"{label} ({handed_over})" for label, handed_over, _share in shares],
			{_("Cry Wolf %"): [round(share or 0, 1) for *_, share in shares]},
			["#d1242f"],
			title=_("Cry Wolf % (number handed over in brackets)"),
		)

	def summary(self, rows: list[dict]) -> list[dict]:
		total = self.total
		value = total.accepted_value
		return [
			on_top(_("Handed Over"), figure(total.counts["handed_over"], 0), "Blue"),
			on_top(_("Cry Wolf"), share_in_words(total.cry_wolf), "Red"),
			on_top(_("Acceptance %"), share_in_words(total.acceptance), "Green"),
			on_top(
				_("Accepted Value"), "–" if value is None else fmt_money(value, 0, self.currency), "Green"
			),
		]

	# the handovers behind a count

	def list_columns(self) -> list[dict]:
		without = []
		if self.filters.criterion:
			title = self.criterion_title
			without = [column("is_without", _("Without {0}").format(title), width=100 + 8 * len(title))]
		return [
			column("handover", _("Handover"), "Link", 170, options="Lead Handover"),
			column("title", _("Lead Name"), width=180),
			column("status_label", _("Status"), width=110),
			column("reason", _("Reason"), "Link", 220, options="Lead Outcome Reason"),
			column("expected_value", _("Expected Value"), "Currency", 145, options="currency"),
			column("sent_at", _("Sent At"), "Datetime", 165),
			column("decided_at", _("Decided At"), "Datetime", 165),
			user_column("from_user", _("From")),
			user_column("to_user", _("To")),
			column("source", _("Source"), width=130),
			column("segment", _("Segment"), "Link", 140, options="Lead Segment"),
			column("checklist", _("Checklist"), width=160),
			*without,
			column("became_opportunity", _("Became Opportunity"), "Check", 165),
			column("became_sale", _("Became Sale"), "Check", 120),
			column("lead", _("Lead"), "Link", 180, options="Lead"),
		]

	def listing(self) -> Select:
		"""The handovers behind a count, or all, the newest first."""
		group = "1 = 1"
		if cint(self.filters.without_group):
			group = "fact.group_name is null"
		elif self.filters.group:
			group = "fact.group_name = %(of_group)s"
		return Select(
			f"""
			select fact.* from ({self.facts()}) fact where {self.counted()} and {group}
			order by fact.sent_at desc, fact.handover desc
			""",
			self.where(),
			{**self.values(), "of_group": self.filters.group},
		)

	def listed(self, found: list) -> list[dict]:
		words = {None: "–", 0: _("No"), 1: _("Yes")}
		return [{**row, "status_label": _(row.status), "is_without": words[row.is_without]} for row in found]


@dataclass
class Figures:
	"""What is counted of some handovers; see `get_rows`.

	`value` is that of the accepted ones in the report's currency; `unvalued` counts those of them whose amount is not
	in it, as there is no rate from their currency, which `unrated` holds.
	"""

	counts: Counter = field(default_factory=Counter)
	value: float = 0
	unvalued: int = 0
	unrated: frozenset[str] = frozenset()

	def __add__(self, other: "Figures") -> "Figures":
		return Figures(
			self.counts + other.counts,
			self.value + other.value,
			self.unvalued + other.unvalued,
			self.unrated | other.unrated,
		)

	@property
	def cry_wolf(self) -> float | None:
		return percent(self.counts["rejected"] + self.counts["returned"], self.counts["handed_over"])

	@property
	def acceptance(self) -> float | None:
		return percent(self.counts["accepted"], self.counts["decided"])

	@property
	def accepted_value(self) -> float | None:
		"""None where amounts are known, but none of them in the report's currency."""
		return None if self.unvalued and not self.value else self.value


def _month(name: str) -> str:
	return format_date(f"{name}-01", "MMM yyyy")


def _months_between(first: str, last: str) -> list[str]:
	"""The months from one to another, both included, as "2025-02"."""
	year, month = (int(part) for part in first.split("-"))
	months = [first]
	while months[-1] < last:
		year, month = (year, month + 1) if month < 12 else (year + 1, 1)
		months.append(f"{year}-{month:02}")
	return months


# the criteria


@frappe.whitelist()
def get_criteria(txt: str = "") -> list[dict]:
	"""The criteria that the checklists of handed-over leads ask for, as the filter offers them: key and topic.

	:param txt: ignored; the filter itself narrows them down.
	:raises frappe.PermissionError: to who may not read handovers.
	"""
	frappe.has_permission("Lead Handover", throw=True)
	definitions = Definitions()
	return [
		{"value": key, "label": key, "description": definitions.title(key)} for key in definitions.criteria
	]


class Definitions:
	"""The checklists under which leads were handed over, and what they ask for.

	A checklist that has been deleted asks for nothing that is known.
	"""

	def __init__(self):
		rows = query.run(
			"""
			select c.name, k.criterion, k.topic
			from `tabQualification Checklist` c
			left join `tabQualification Criterion` k
				on k.parent = c.name and k.parenttype = 'Qualification Checklist'
			where
				c.name in (select h.checklist from `tabLead Handover` h where h.status != 'Draft')
				or c.name in (select h.checklist from `tabHandover Remnant` h)
			order by c.title, c.version, c.creation, c.name, k.idx
			"""
		)
		# in the order of their titles, and of the versions of each
		self.order = {name: place for place, name in enumerate(dict.fromkeys(name for name, *_ in rows))}
		# key to the topic in the newest version
		self.criteria = {key: topic for _name, key, topic in rows if key}
		self._asking = defaultdict(set)
		for name, key, _topic in rows:
			self._asking[key].add(name)

	@property
	def default_criterion(self) -> str | None:
		return DEFAULT_CRITERION if DEFAULT_CRITERION in self.criteria else None

	def asking(self, criterion: str | None) -> tuple[str, ...]:
		"""The checklists that ask for a criterion; never empty, which SQL does not know."""
		return tuple(sorted(self._asking.get(criterion) or {""}) if criterion else ("",))

	def title(self, criterion: str) -> str:
		"""The topic of a criterion, as HTML. What no checklist knows is whatever the address of the report says."""
		topic = self.criteria.get(criterion)
		return markup_free(_(topic) if topic else criterion)


execute = HandoverQuality.execute
