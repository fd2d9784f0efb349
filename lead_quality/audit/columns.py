"""Which column of an export is which field: by its fieldname or label, else by what stands in it, else not at all."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lead_quality.audit.labels import HEADERS, STATUSES, words

TEXT, MOMENT, NUMBER, ADDRESS, ADDRESSES = "text", "moment", "number", "address", "addresses"

# DocType → field → type, and the labels by which it is known beside its fieldname: those of ERPNext v14 to v16 in English;
# those in other languages are in `labels`
_NAME = (TEXT, "ID|name")
_CREATION = (MOMENT, "Created On|Creation|Created")
_MODIFIED = (MOMENT, "Last Updated On|Last Modified On|Modified")
_OWNER = (TEXT, "Created By")
_STATUS = (TEXT, "Status")
_DOCSTATUS = (NUMBER, "Document Status")


def _lost(doctype: str) -> str:
	"""What the reasons that a document was lost for are called; they stand in a table of it."""
	label = f"{doctype} Lost Reason"
	return f"{label}|Lost Reason|Lost Reasons|{label} (Lost Reasons)|{label} ({label} Detail)"


FIELDS: dict[str, dict[str, tuple[str, str]]] = {
	"Lead": {
		"name": _NAME,
		"creation": _CREATION,
		"modified": _MODIFIED,
		"owner": _OWNER,
		"status": _STATUS,
		"lead_name": (TEXT, "Full Name|Lead Name|Person Name"),
		"company_name": (TEXT, "Organization Name|Organisation Name|Organization"),
		"email_id": (ADDRESS, "Email|Email Address|Email Id"),
		"phone": (TEXT, "Phone"),
		"mobile_no": (TEXT, "Mobile No|Mobile No.|Mobile"),
		"whatsapp_no": (TEXT, "WhatsApp|WhatsApp No"),
		"source": (TEXT, "Source|Lead Source"),
		"utm_source": (TEXT, "UTM Source"),  # in v16, where the old column may still be there
		"lead_owner": (TEXT, "Lead Owner"),
		"contact_date": (MOMENT, "Next Contact Date"),
		"company": (TEXT, "Company"),
		# what the order of leads is learned from, beside the above
		"campaign_name": (TEXT, "Campaign Name|Campaign"),
		"utm_campaign": (TEXT, "UTM Campaign"),
		"territory": (TEXT, "Territory"),
		"industry": (TEXT, "Industry"),
		"market_segment": (TEXT, "Market Segment"),
		"request_type": (TEXT, "Request Type"),
		"type": (TEXT, "Lead Type"),
		"no_of_employees": (TEXT, "No of Employees|No. of Employees|Employees"),
		"website": (TEXT, "Website"),
		"job_title": (TEXT, "Job Title"),
		"city": (TEXT, "City"),
		"country": (TEXT, "Country"),
	},
	"Opportunity": {
		"name": _NAME,
		"creation": _CREATION,
		"status": _STATUS,
		"opportunity_from": (TEXT, "Opportunity From"),
		"party_name": (TEXT, "Party|Lead"),
		"lq_lead": (TEXT, ""),
		"opportunity_owner": (TEXT, "Opportunity Owner"),
		"lost_reason": (TEXT, _lost("Opportunity")),
	},
	"Quotation": {
		"name": _NAME,
		"creation": _CREATION,
		"status": _STATUS,
		"docstatus": _DOCSTATUS,
		"quotation_to": (TEXT, "Quotation To"),
		"party_name": (TEXT, "Party|Lead"),
		"opportunity": (TEXT, "Opportunity"),
		"lost_reason": (TEXT, _lost("Quotation")),
	},
	"Sales Order": {
		"name": _NAME,
		"creation": _CREATION,
		"status": _STATUS,
		"docstatus": _DOCSTATUS,
		"customer": (TEXT, "Customer"),
		"currency": (TEXT, "Currency"),
		"base_grand_total": (NUMBER, "Grand Total (Company Currency)"),
		"grand_total": (NUMBER, "Grand Total"),
		"prevdoc_docname": (TEXT, "Quotation|Quotation (Items)|Quotation (Sales Order Item)"),
	},
	"Sales Order Item": {
		"parent": (TEXT, "Parent|Sales Order"),
		"prevdoc_docname": (TEXT, "Quotation"),
	},
	"Customer": {
		"name": _NAME,
		"creation": _CREATION,
		"lead_name": (TEXT, "From Lead|Lead"),
		"opportunity_name": (TEXT, "From Opportunity|Opportunity"),
		"prospect_name": (TEXT, "From Prospect|Prospect"),
	},
	"Communication": {
		"name": _NAME,
		"creation": _CREATION,
		"communication_date": (MOMENT, "Date"),
		"communication_type": (TEXT, "Communication Type"),
		"communication_medium": (TEXT, "Type|Communication Medium"),
		"sent_or_received": (TEXT, "Sent or Received"),
		"sender": (ADDRESS, "From|Sender"),
		"recipients": (ADDRESSES, "To|Recipients"),
		"subject": (TEXT, "Subject"),
		"content": (TEXT, "Message|Content"),
		"reference_doctype": (TEXT, "Reference Document Type|Reference DocType"),
		"reference_name": (TEXT, "Reference Name"),
		"delivery_status": (TEXT, "Delivery Status"),
		"email_status": (TEXT, "Email Status"),
		"owner": _OWNER,
	},
	"Call Log": {
		"name": _NAME,
		"creation": _CREATION,
		"status": _STATUS,
		"type": (TEXT, "Type"),
		"start_time": (MOMENT, "Start Time"),
		"end_time": (MOMENT, "End Time"),
		"link_doctype": (TEXT, "Link Document Type|Link Document Type (Dynamic Link)"),
		"link_name": (TEXT, "Link Name|Link Name (Dynamic Link)"),
	},
	"Event": {
		"name": _NAME,
		"creation": _CREATION,
		"event_category": (TEXT, "Event Category"),
		"status": _STATUS,
		"starts_on": (MOMENT, "Starts on|Starts On"),
		"modified_by": (TEXT, "Last Updated By|Modified By"),
		"reference_doctype": (TEXT, "Reference Document Type|Reference Document Type (Event Participants)"),
		"reference_docname": (TEXT, "Reference Name|Reference Name (Event Participants)"),
	},
	# tables of other documents, as a backup has them
	"Communication Link": {"parent": (TEXT, ""), "link_doctype": (TEXT, ""), "link_name": (TEXT, "")},
	"Dynamic Link": {
		"parent": (TEXT, ""),
		"parenttype": (TEXT, ""),
		"link_doctype": (TEXT, ""),
		"link_name": (TEXT, ""),
	},
	"Event Participants": {
		"parent": (TEXT, ""),
		"reference_doctype": (TEXT, ""),
		"reference_docname": (TEXT, ""),
	},
	"Prospect Lead": {"parent": (TEXT, ""), "lead": (TEXT, "")},
	"Opportunity Lost Reason Detail": {"parent": (TEXT, ""), "lost_reason": (TEXT, "")},
	"Quotation Lost Reason Detail": {"parent": (TEXT, ""), "lost_reason": (TEXT, "")},
	# which days are no working days
	"Company": {"name": (TEXT, ""), "default_holiday_list": (TEXT, "")},
	"Holiday": {"parent": (TEXT, ""), "holiday_date": (MOMENT, "")},
}
# what other documents have as well, so that it does not say that a file is of leads
SHARED = frozenset(
	"campaign_name utm_campaign territory industry market_segment type no_of_employees website job_title city country".split()
)
# instants that have passed, whatever else lies ahead: what is dated later is a mistake
PAST = frozenset(("creation", "modified", "communication_date", "start_time", "end_time"))
# what an export says in rows of a table below a document
OF_ROWS = ("prevdoc_docname", "lost_reason")
KINDS = tuple(FIELDS)
# of these those that are exported by themselves
DOCUMENTS = tuple(kind for kind, fields in FIELDS.items() if "creation" in fields)
# without which a table is of no use: one of each group
NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
	"Lead": (("creation",),),
	"Opportunity": (("name",), ("party_name", "lq_lead"), ("creation",)),
	"Quotation": (("name",), ("party_name", "opportunity"), ("creation",)),
	"Sales Order": (("name",), ("creation",), ("customer", "prevdoc_docname")),
	"Sales Order Item": (("parent",), ("prevdoc_docname",)),
	"Customer": (("name",), ("lead_name", "opportunity_name", "prospect_name")),
	"Communication": (("reference_name",), ("creation", "communication_date")),
	"Call Log": (("name",), ("status",), ("creation", "start_time")),
	"Event": (("name",), ("event_category",), ("status",), ("starts_on",)),
	"Communication Link": (("parent",), ("link_doctype",), ("link_name",)),
	"Dynamic Link": (("parent",), ("parenttype",), ("link_doctype",), ("link_name",)),
	"Event Participants": (("parent",), ("reference_doctype",), ("reference_docname",)),
	"Prospect Lead": (("parent",), ("lead",)),
	"Opportunity Lost Reason Detail": (("parent",), ("lost_reason",)),
	"Quotation Lost Reason Detail": (("parent",), ("lost_reason",)),
	"Company": (("name",), ("default_holiday_list",)),
	"Holiday": (("parent",), ("holiday_date",)),
}

LEAD_STATUSES = set(words(*(status.lower() for status in STATUSES)))
IS_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]{2,}")
_IS_LEAD_ID = re.compile(r"(?:CRM-)?LEAD-[\w-]+", re.IGNORECASE)
_IS_OPPORTUNITY_ID = re.compile(r"(?:CRM-)?OPP-[\w-]+", re.IGNORECASE)
_IS_TIMED = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[ T]\d{1,2}:\d{2}.*")

BY_NAME, BY_LABEL, BY_CONTENT, BY_MAP = "its fieldname", "its label", "what stands in it", "--map"


@dataclass(frozen=True)
class Recognised:
	"""That a column (by its place, from 0) is a field, and how that was found out."""

	field: str
	place: int
	header: str
	by: str


def plain(label: str) -> str:
	"""A label as it is compared: without case, marks and what Frappe adds in brackets for a child table."""
	label = unicodedata.normalize("NFKC", str(label)).casefold().replace("’", "'")
	return " ".join(label.strip(" \ufeff*:").split())


def _known(kind: str) -> dict[str, list[tuple[str, str]]]:
	"""Header, as compared, to the fields that it may be and by what."""
	known: dict[str, list[tuple[str, str]]] = {}
	for field, (_type, english) in FIELDS[kind].items():
		known.setdefault(field, []).append((field, BY_NAME))
		others = HEADERS.get(f"{kind}.{field}", HEADERS.get(field, "")) if english else ""
		for label in dict.fromkeys([*english.split("|"), *others.split("|")]):
			if label and plain(label) != field:
				known.setdefault(plain(label), []).append((field, BY_LABEL))
	return known


_KNOWN = {kind: _known(kind) for kind in FIELDS}


def is_called(kind: str, field: str, header: str) -> bool:
	"""Whether this header is a label of a field."""
	return (field, BY_LABEL) in _KNOWN[kind].get(plain(header), ())


def hits(kind: str, headers: Sequence[str]) -> int:
	"""How many of these headers are known for a DocType."""
	return sum(
		any(field not in SHARED for field, _by in _KNOWN[kind].get(plain(header), ()))
		for header in headers
		if header
	)


def recognise(
	kind: str, headers: Sequence[str], rows: Sequence[Sequence[str]], mapped: Mapping[str, str]
) -> list[Recognised]:
	"""The columns of a table that are fields of its DocType; none is taken for two, no field has two.

	:param rows: the first rows, to look at what stands in them.
	:param mapped: field to header, as the user has said.
	:raises ValueError: the user named a header that is not there, or a field that is none.
	"""
	found = _mapped(kind, headers, mapped)
	for by in (BY_NAME, BY_LABEL):
		for place, header in _likeliest_first(headers, rows):
			for field, how in _KNOWN[kind].get(plain(header), ()):
				if how == by and field not in found and place not in _places(found):
					found[field] = Recognised(field, place, header, by)
	_by_content(kind, headers, rows, found)
	return sorted(found.values(), key=lambda column: column.place)


def _likeliest_first(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
	"""Headers with their places, those first that hold words of a status: `Estado` is one in Spanish, and a part of Brazil in
	Portuguese."""

	def holds_none(place: int) -> bool:
		return not any(place < len(row) and row[place].lower() in LEAD_STATUSES for row in rows)

	return sorted(enumerate(headers), key=lambda one: (holds_none(one[0]), one[0]))


def _mapped(kind: str, headers: Sequence[str], mapped: Mapping[str, str]) -> dict[str, Recognised]:
	found = {}
	by_header: dict[str, int] = {}
	alike: dict[str, int] = {}
	for place, header in enumerate(headers):
		known = plain(header)
		by_header.setdefault(known, place)
		alike[known] = alike.get(known, 0) + 1
		if alike[known] > 1:  # the second column of its name
			by_header.setdefault(f"{known} ({alike[known]})", place)
	for field, header in mapped.items():
		if field not in FIELDS[kind]:
			raise ValueError(f"--map: {kind} has no field {field!r}. It has {', '.join(FIELDS[kind])}.")
		if plain(header) not in by_header:
			there = ", ".join(repr(name) for name in headers if name)
			raise ValueError(f"--map: there is no column {header!r} in the file of {kind}. It has {there}.")
		place = by_header[plain(header)]
		found[field] = Recognised(field, place, headers[place], BY_MAP)
	return found


def _places(found: Mapping[str, Recognised]) -> set[int]:
	return {column.place for column in found.values()}


Test = Callable[[Sequence[str]], bool]
_BY_CONTENT: dict[str, tuple[tuple[str, Test], ...]] = {
	"Lead": (
		("name", lambda values: _share(values, _IS_LEAD_ID) == 1 and len(set(values)) == len(values)),
		("status", lambda values: {value.lower() for value in values} <= LEAD_STATUSES),
		("email_id", lambda values: _share(values, IS_ADDRESS) >= 0.9 and len(set(values)) > len(values) / 2),
		("creation", lambda values: _share(values, _IS_TIMED) == 1),
	),
	"Opportunity": (
		("name", lambda values: _share(values, _IS_OPPORTUNITY_ID) == 1 and len(set(values)) == len(values)),
	),
	"Quotation": (("opportunity", lambda values: _share(values, _IS_OPPORTUNITY_ID) == 1),),
	"Customer": (
		("lead_name", lambda values: _share(values, _IS_LEAD_ID) == 1),
		("opportunity_name", lambda values: _share(values, _IS_OPPORTUNITY_ID) == 1),
	),
}


def _by_content(
	kind: str, headers: Sequence[str], rows: Sequence[Sequence[str]], found: dict[str, Recognised]
):
	"""Add what only one of the columns that nothing else names can be."""
	taken = _places(found)
	for field, test in _BY_CONTENT.get(kind, ()):
		if field in found:
			continue
		fitting = []
		for place in range(len(headers)):
			values = [row[place] for row in rows if place < len(row) and row[place]]
			if place not in taken and len(values) >= 3 and test(values):
				fitting.append(place)
		if len(fitting) == 1:
			found[field] = Recognised(field, fitting[0], headers[fitting[0]], BY_CONTENT)
			taken.add(fitting[0])


def _share(values: Iterable[str], pattern: re.Pattern[str]) -> float:
	some = list(values)
	return sum(bool(pattern.fullmatch(value.strip())) for value in some) / len(some)


def missing(kind: str, found: Iterable[Recognised]) -> list[str]:
	"""What a table lacks to be of any use, each as the fields of which one would do."""
	there = {column.field for column in found}
	return [" or ".join(group) for group in NEEDED[kind] if not there & set(group)]
