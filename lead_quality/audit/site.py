"""A company's site, read over its REST API with a key: with GET only, page by page, at a stated pace, only the fields that an
audit needs. What was read is kept in a folder, so that a reading that was broken off goes on where it was; the key is not."""

import email.utils
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import lead_quality
from lead_quality.audit.columns import BY_NAME, FIELDS, Recognised, missing
from lead_quality.audit.readers import CannotRead, Row, Table

KEY_VARIABLE = "LEAD_QUALITY_KEY"
RATE = 4.0  # requests a second
ROWS_A_PAGE = 1_000
TRIES = 5
LONGEST_WAIT = 600  # seconds that a site may ask to be left alone, before this gives up
PATIENCE = 120  # seconds for an answer
STATE = "state.json"
FORMAT = 2  # of the folder
_KEY = re.compile(r"[^\s:]+:[^\s:]+")
_LEADS = ["Lead", "Opportunity"]
_BUSY = {429, 502, 503, 504}
TOLD_FROM = 5  # seconds of waiting that whoever looks on is told of
# how a site names a field that it does not have, or does not give: with 500, with 417 or with 403, by its version
_UNKNOWN = re.compile(
	r"(?:Unknown column|not permitted in query|Invalid field)\D*?['`: ]*(?:tab[\w ]+`?\.`?)?(\w+)"
)
# the same of a site that shows no tracebacks: the database's error without its number
_MAYBE_UNKNOWN = re.compile(r"(?:Operational|Programming|Data)Error\b(?!.*\(\d{4},)")


@dataclass(frozen=True)
class Read:
	"""What is read of one DocType: fields (those of other versions among them, which the site refuses), and which rows. Rows
	of a table are read by the rights on its document, `parent`."""

	kind: str
	fields: str
	filters: Sequence[Sequence[object]] = ()
	or_filters: Sequence[Sequence[object]] = ()
	parent: str = ""
	part: str = ""

	@property
	def key(self) -> str:
		return f"{self.kind} {self.part}".strip()


_OF_LEADS = (
	["Communication", "reference_doctype", "in", _LEADS],
	["Communication Link", "link_doctype", "in", _LEADS],
)
_MAIL = "name creation communication_date communication_type communication_medium sent_or_received sender recipients subject"
_MAIL += " reference_doctype reference_name delivery_status email_status owner"
_IS_CONTACT = ["communication_type", "=", "Communication"]
READS = (
	Read(
		"Lead",
		"name creation modified status lead_name company_name email_id phone mobile_no whatsapp_no source utm_source lead_owner"
		" contact_date campaign_name utm_campaign territory industry market_segment request_type type no_of_employees website"
		" job_title city country company",
	),
	Read("Opportunity", "name creation status opportunity_from party_name lq_lead opportunity_owner"),
	Read("Quotation", "name creation status docstatus quotation_to party_name opportunity"),
	Read(
		"Sales Order",
		"name creation status docstatus customer currency base_grand_total grand_total",
		[["docstatus", "=", 1]],
	),
	Read(
		"Sales Order Item", "parent prevdoc_docname", [["prevdoc_docname", "is", "set"]], parent="Sales Order"
	),
	Read("Opportunity Lost Reason Detail", "parent lost_reason", parent="Opportunity"),
	Read("Quotation Lost Reason Detail", "parent lost_reason", parent="Quotation"),
	Read("Customer", "name creation lead_name opportunity_name prospect_name"),
	Read("Prospect Lead", "parent lead", parent="Prospect"),
	Read("Company", "name default_holiday_list"),
	Read("Holiday", "parent holiday_date", parent="Holiday List"),
	# the text of what was said on the phone tells how it went; that of mails is not asked for
	Read(
		"Communication",
		_MAIL,
		[_IS_CONTACT, ["communication_medium", "=", "Email"]],
		_OF_LEADS,
		part="by mail",
	),
	Read(
		"Communication",
		f"{_MAIL} content",
		[_IS_CONTACT, ["communication_medium", "!=", "Email"]],
		_OF_LEADS,
		part="otherwise",
	),
	Read(
		"Communication Link",
		"parent link_doctype link_name",
		[["link_doctype", "in", _LEADS]],
		parent="Communication",
	),
	Read("Call Log", "name creation status type start_time end_time"),
	Read(
		"Dynamic Link",
		"parent parenttype link_doctype link_name",
		[["parenttype", "=", "Call Log"], ["link_doctype", "in", _LEADS]],
		parent="Call Log",
	),
	Read("Event", "name creation event_category status starts_on modified_by"),
	Read(
		"Event Participants",
		"parent reference_doctype reference_docname",
		[["reference_doctype", "in", _LEADS]],
		parent="Event",
	),
)
# to whom alone Frappe shows mails of e-mail accounts that are not their own
_MAIL_READERS = {"System Manager", "Super Email User"}
OWN_MAIL = (
	"Communication: ERPNext shows the user of the key the mails of its own e-mail accounts only, if it has any. So leads look "
	"untouched, and wasted, that others have written to. Give that user the role System Manager or Super Email User, and run this "
	"again."
)
# what tells of the user of the key
_LOGGED_USER = "method/frappe.auth.get_logged_user"
_ROLES = "method/frappe.core.doctype.user.user.get_roles"
_USER_PERMISSIONS = "method/frappe.core.doctype.user_permission.user_permission.get_user_permissions"
NAMES_OF_PEOPLE = {"lead_name", "company_name"}


class Refused(Exception):
	"""The site's answer to a request that it does not do, with its status and what it says."""

	def __init__(self, status: int, said: str) -> None:
		super().__init__(said)
		self.status, self.said = status, said


def key_of(file: Path | None, environment: Mapping[str, str] = os.environ) -> str:
	"""The key and the secret of a user, as `key:secret`, from a file or the environment; never from the command line, which
	every user of the machine can read.

	:raises CannotRead: there is none, or it is none.
	"""
	if file is not None:
		try:
			key = file.read_text(encoding="utf-8").strip()
		except (OSError, UnicodeDecodeError) as error:
			raise CannotRead(f"--key-file: {file} cannot be read ({type(error).__name__}).") from None
		where = f"{file}"
	else:
		key, where = environment.get(KEY_VARIABLE, "").strip(), f"The variable {KEY_VARIABLE}"
		if not key:
			raise CannotRead(
				f"A site takes a key. Make one in ERPNext (User, Settings, API Access), and put API key and secret, as "
				f"key:secret, into a file (--key-file FILE) or into the variable {KEY_VARIABLE}."
			)
	if not _KEY.fullmatch(key):
		raise CannotRead(f"{where} does not hold a key and its secret as key:secret.")
	return key


class _NoRedirect(urllib.request.HTTPRedirectHandler):
	"""Follows nothing: the key would go along, to whoever it leads to."""

	def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
		parts = urllib.parse.urlsplit(newurl)
		raise CannotRead(
			f"The site sends on to {parts.scheme}://{parts.netloc}. If that is where it is, say so: --site {parts.scheme}://{parts.netloc}"
		)


class Client:
	"""Asks a site, with GET only, so many times a second at most, again where it is busy.

	:raises CannotRead: it is no address to send a key to.
	"""

	def __init__(
		self,
		url: str,
		key: str,
		rate: float = RATE,
		sleep: Callable[[float], None] = time.sleep,
		clock: Callable[[], float] = time.monotonic,
		told: Callable[[str], None] = lambda sentence: None,
	) -> None:
		parts = urllib.parse.urlsplit(url if "://" in url else f"https://{url}")
		host = parts.hostname or ""
		if parts.scheme not in ("http", "https") or not host or parts.username:
			raise CannotRead("--site takes an address such as https://erp.example.com.")
		if parts.scheme == "http" and not (
			host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
		):
			raise CannotRead(
				f"--site: over http anybody on the way could read the key. Say https://{parts.netloc}"
			)
		if rate <= 0:
			raise CannotRead("--rate: it takes more than no request a second.")
		self.url = f"{parts.scheme}://{parts.netloc}"
		self.host = host
		self.requests = 0
		self._key = key
		self._pause = 1 / rate
		self._sleep, self._clock, self._told = sleep, clock, told
		self._next_at = 0.0
		self._opener = urllib.request.build_opener(_NoRedirect)

	def get(self, path: str, **query: object) -> Any:
		"""What the site answers, as JSON.

		:raises Refused: it does not do that.
		:raises CannotRead: it cannot be reached, or is no site of Frappe's.
		"""
		words = {
			name: value if isinstance(value, str | int) else json.dumps(value)
			for name, value in query.items()
		}
		address = f"{self.url}/api/{urllib.parse.quote(path)}?{urllib.parse.urlencode(words)}"
		headers = {
			"Authorization": f"token {self._key}",
			"Accept": "application/json",
			"User-Agent": f"lead-quality/{lead_quality.__version__}",
		}
		for tried in range(1, TRIES + 1):
			self._keep_pace()
			try:
				with self._opener.open(
					urllib.request.Request(address, headers=headers), timeout=PATIENCE
				) as answer:
					return self._parsed(answer.read())
			except urllib.error.HTTPError as error:
				with error:
					said = _said(error)
				if error.code not in _BUSY and (error.code != 500 or tried >= _tries(said)):
					raise Refused(error.code, said) from None
				wait, why = _wait_asked(error), f"answers {error.code}"
			except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
				wait, why = None, _why_unreachable(error, self.url)
			if wait is not None and wait > LONGEST_WAIT:
				raise CannotRead(
					f"{self.url} asks to be left alone for {wait:.0f} s. Run this again then: it goes on."
				)
			if tried < TRIES:
				wait = 2.0**tried if wait is None else wait
				if wait >= TOLD_FROM:
					self._told(f"{self.url} {why}: asked again in {wait:.0f} s")
				self._sleep(wait)
		raise CannotRead(f"{self.url} {why}, {TRIES} times. Run this again later: it goes on where it was.")

	def _parsed(self, body: bytes) -> Any:
		try:
			answer = json.loads(body)
			return answer["data"] if "data" in answer else answer["message"]
		except (ValueError, KeyError, TypeError):
			raise CannotRead(f"{self.url} does not answer like a site of Frappe's.") from None

	def _keep_pace(self):
		"""Wait until the next request is due."""
		now = self._clock()
		if now < self._next_at:
			self._sleep(self._next_at - now)
		self._next_at = max(now, self._next_at) + self._pause
		self.requests += 1


def _tries(said: str) -> int:
	"""How often to ask where a site says that it broke down (500). Some versions say so of a field that they do not have, too:
	that stays as it is."""
	if _UNKNOWN.search(said):
		return 1
	return 2 if _MAYBE_UNKNOWN.search(said) else TRIES


def _said(error: urllib.error.HTTPError) -> str:
	"""What a site says of why it does not do something: its exception and its messages, without its traceback's length."""
	try:
		body = error.read(100_000).decode("utf-8", "replace")
	except (OSError, http.client.HTTPException):
		return ""
	try:
		answer = json.loads(body)
		parts = [
			str(answer.get(name) or "")
			for name in ("exc_type", "exception", "message", "_server_messages", "exc")
		]
	except (ValueError, AttributeError):
		parts = [body]
	return " ".join(" ".join(parts).split())[-4_000:]


def _wait_asked(error: urllib.error.HTTPError) -> float | None:
	"""The seconds that a busy site asks to be left alone (Retry-After: seconds, or a date); None, if it says nothing."""
	said = (error.headers.get("Retry-After") or "").strip()
	if re.fullmatch(r"\d+", said):
		return float(said)
	try:
		at = email.utils.parsedate_to_datetime(said)
	except (TypeError, ValueError):
		return None
	at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
	return max((at - datetime.now(timezone.utc)).total_seconds(), 0.0)


def _why_unreachable(error: Exception, url: str) -> str:
	"""Why a site cannot be reached, where to ask again may help.

	:raises CannotRead: it would not.
	"""
	reason = getattr(error, "reason", error)
	if "WRONG_VERSION_NUMBER" in str(reason):
		raise CannotRead(f"{url}: it does not speak https there. Is the port right?") from None
	if isinstance(reason, ssl.SSLError):
		raise CannotRead(
			f"{url}: its certificate is not trusted here ({getattr(reason, 'verify_message', '') or reason.reason or 'TLS'}). If "
			"the company has an authority of its own, name its file in the variable SSL_CERT_FILE."
		) from None
	if "Tunnel connection failed" in str(reason):
		raise CannotRead(
			f"{url}: the proxy that HTTPS_PROXY names does not let this through ({reason}). Correct it, or set NO_PROXY."
		) from None
	return f"cannot be reached ({reason or type(reason).__name__})"


@dataclass
class Fetched:
	"""What was read of a site, in a folder; `lacking` are sentences on what could not be, `limited_by` the DocTypes of the User
	Permissions that hide documents from the user."""

	folder: Path
	host: str
	user: str
	reads: dict[str, dict[str, Any]]
	limited_by: list[str] = field(default_factory=list)
	lacking: list[str] = field(default_factory=list)

	def tables(self) -> Iterator[Table]:
		"""What was read, table by table."""
		for read in READS:
			state = self.reads[read.key]
			if not state["is_done"] or state["refused"]:
				continue
			given = (
				state["given"] or state["fields"]
			)  # a field above the user's permission level is left out of each row
			fields = [name for name in state["fields"] if name in FIELDS[read.kind] and name in given]
			found = [Recognised(name, place, name, BY_NAME) for place, name in enumerate(fields)]
			notes = ["read from the site, as far as it shows this to the user of the key"]
			yield Table(
				read.kind, self.host, found, [], notes, self._rows(read, fields), "YMD", ".", len(found)
			)

	def _rows(self, read: Read, fields: Sequence[str]) -> Iterator[Row]:
		with _file(self.folder, read).open(encoding="utf-8") as file:
			for number, line in enumerate(file, start=1):
				row = json.loads(line)
				yield number, [_as_text(row.get(name)) for name in fields]

	def forget(self):
		"""Remove what was read."""
		for path in [*(_file(self.folder, read) for read in READS), self.folder / STATE]:
			path.unlink(missing_ok=True)
		self.folder.rmdir()


def _as_text(value: object) -> str:
	if value is None:
		return ""
	return format(value, "f") if isinstance(value, float) else str(value)


def _file(folder: Path, read: Read) -> Path:
	return folder / f"{read.key.replace(' ', '-').lower()}.jsonl"


def fetch(
	client: Client,
	folder: Path,
	progress: Callable[[str, int], None] = lambda kind, rows: None,
	with_names: bool = True,
) -> Fetched:
	"""Read a site into a folder, or go on with what was begun there.

	:param with_names: whether to ask for the names of people and organizations.
	:raises CannotRead: the key is wrong, leads may not be read, or the folder has what was begun of another site.
	"""
	user = _who(client)
	sees_all_mail, limited_by = _sees_all_mail(client, user), _limited_by(client)
	folder.mkdir(parents=True, exist_ok=True, mode=0o700)
	wanted = {"format": FORMAT, "site": client.url, "user": user, "with_names": with_names}
	state = _begun(folder, wanted, {"all_mail": sees_all_mail, "limited_by": limited_by})
	lacking = [_of_limits(limited_by)] if limited_by else []
	for read in READS:
		of_read = state["reads"].get(read.key)
		if not of_read or not of_read["rows"] or of_read["refused"]:  # its right may have been given since
			of_read = state["reads"][read.key] = _nothing_read(read)
		if not with_names:
			of_read["fields"] = [name for name in of_read["fields"] if name not in NAMES_OF_PEOPLE]
		if not of_read["is_done"]:
			_fetch(client, folder, state, read, progress)
		if of_read["refused"]:
			lacking.append(of_read["refused"])
		if read.kind == "Lead" and of_read["refused"]:
			raise CannotRead(f"{of_read['refused']} There is no audit without leads: run this again then.")
		if read.kind == "Lead" and not of_read["rows"]:
			raise CannotRead(" ".join([f"{client.url} shows the user of the key no leads.", *lacking]))
	if not sees_all_mail:
		lacking.append(OWN_MAIL)
	return Fetched(folder, client.host, user, state["reads"], limited_by, lacking)


def _nothing_read(read: Read) -> dict[str, Any]:
	return {
		"fields": ["name", *(name for name in read.fields.split() if name != "name")],
		"given": [],
		"last": None,
		"size": 0,
		"rows": 0,
		"is_done": False,
		"refused": "",
	}


def _who(client: Client) -> str:
	"""Whose key it is."""
	try:
		user = client.get(_LOGGED_USER)
	except Refused as refused:
		if refused.status in (401, 403):
			raise CannotRead(_no_key(client)) from None
		if refused.status >= 500:
			raise CannotRead(
				f"{client.url} answers {refused.status}, {TRIES} times: something is broken there, and its Error Log says what. "
				"Run this again when it is mended."
			) from None
		raise CannotRead(f"{client.url} answers {refused.status}: is that the address of the site?") from None
	return str(user)


def _no_key(client: Client) -> str:
	return (
		f"{client.url} does not take the key. Is it key and secret of one user, who is enabled, as key:secret? If so, they were "
		"replaced: make new ones in ERPNext (User, Settings, API Access, Generate Keys), and run this again."
	)


def _limited_by(client: Client) -> list[str]:
	"""The DocTypes by which User Permissions hide documents from the user of the key, as far as they may apply to what is read;
	where the site does not tell them, nothing is held against it."""
	try:
		by_doctype = client.get(_USER_PERMISSIONS)
	except Refused:
		return []
	if not isinstance(by_doctype, dict):
		return []
	kinds = {None, "", *(read.parent or read.kind for read in READS)}
	return sorted(
		str(doctype)
		for doctype, rules in by_doctype.items()
		if any(rule.get("applicable_for") in kinds for rule in rules or [])
	)


def _of_limits(doctypes: Sequence[str]) -> str:
	return (
		f"User Permissions on {' and '.join(doctypes)} hide documents from the user of the key: only what this user may see was "
		"counted, and whether there is more cannot be known. To count all, remove them (in the list of User Permissions), or take "
		"the key of a user who has none, with the roles System Manager, Sales Manager and HR Manager, and run this again."
	)


def _sees_all_mail(client: Client, user: str) -> bool:
	"""Whether a user is shown the mails of all; where the site does not tell its roles, nothing is held against it."""
	try:
		roles = client.get(_ROLES, uid=user)
	except Refused:
		return True
	return not isinstance(roles, list) or bool(_MAIL_READERS.intersection(roles))


def _begun(folder: Path, wanted: dict[str, Any], sees: dict[str, Any]) -> dict[str, Any]:
	try:
		state: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
	except FileNotFoundError:
		return {**wanted, "sees": sees, "reads": {}}
	except ValueError:
		raise CannotRead(f"{folder / STATE} is broken. Remove {folder} and run this again.") from None
	if {name: state.get(name) for name in wanted} != wanted:
		raise CannotRead(
			f"{folder} has what was begun of {state.get('site')} as {state.get('user')}, or otherwise than now. Remove it, or name "
			"another folder: --out"
		)
	if state.get("sees") != sees:
		raise CannotRead(
			f"{folder} has what was begun when {state.get('user')} was shown other documents: roles or User Permissions have changed "
			"since. Remove it, and run this again."
		)
	return state


def _keep(folder: Path, state: Mapping[str, Any]):
	new = folder / f"{STATE}.new"
	new.write_text(json.dumps(state, indent=1), encoding="utf-8")
	new.replace(folder / STATE)


def _fetch(
	client: Client, folder: Path, state: dict[str, Any], read: Read, progress: Callable[[str, int], None]
):
	"""Read the rows of a DocType, by name: each page begins after the last name of the one before, whatever comes in or goes
	in the meantime. A page is kept before it is counted, and what is not counted is cut off."""
	of_read = state["reads"][read.key]
	path = _file(folder, read)
	with path.open("ab") as file:
		file.truncate(of_read["size"])
		while not of_read["is_done"]:
			try:
				page = _page(client, read, of_read)
			except Refused as refused:
				if refused.status == 401:
					raise CannotRead(f"{_no_key(client)} It goes on where it was.") from None
				of_read["refused"] = _sentence(read, refused)
				of_read["is_done"] = True
				break
			if of_read["last"] in [row["name"] for row in page]:
				raise CannotRead(
					f"{client.url} answers the same rows of {read.kind} again, though it was asked for those after "
					f"{of_read['last']}. Is a cache before it?"
				)
			names: set[str] = set()
			for row in page:
				if str(row["name"]) not in names:  # a join gives a document once for each of its rows
					names.add(str(row["name"]))
					file.write(json.dumps(row).encode() + b"\n")
			file.flush()
			of_read["given"] = sorted({*of_read["given"], *(name for row in page for name in row)})
			of_read["rows"] += len(names)
			of_read["size"] = file.tell()
			of_read["is_done"] = len(page) < ROWS_A_PAGE
			if page:
				of_read["last"] = page[-1]["name"]
			_keep(folder, state)
			progress(read.kind, of_read["rows"])
	_keep(folder, state)


def _page(client: Client, read: Read, of_read: dict[str, Any]) -> list[dict[str, Any]]:
	"""The next rows of a DocType. Fields that the site does not have, or does not give, are not asked for again.

	:raises Refused: it gives none of it.
	"""
	while True:
		try:
			return _rows(client, read, of_read["fields"], of_read["last"], ROWS_A_PAGE)
		except Refused as refused:
			kept = _without_refused(client, read, of_read["fields"], refused)
			if len(kept) == len(of_read["fields"]) or missing(
				read.kind, [Recognised(name, 0, "", BY_NAME) for name in kept]
			):
				raise
			of_read["fields"] = kept


def _without_refused(client: Client, read: Read, fields: Sequence[str], refused: Refused) -> list[str]:
	"""Those fields that a site gives: without the one that it names as unknown, or else by asking for each alone."""
	unknown = _UNKNOWN.search(refused.said)
	if unknown and unknown[1] in fields and unknown[1] != "name":
		return [name for name in fields if name != unknown[1]]
	kept = []
	for name in fields:
		try:
			_rows(client, read, ["name", name] if name != "name" else [name], None, 1)
			kept.append(name)
		except Refused:
			if name == "name":
				raise refused from None
	return kept


def _rows(
	client: Client, read: Read, fields: Sequence[str], after: object, count: int
) -> list[dict[str, Any]]:
	filters = [*read.filters, *([["name", ">", after]] if after is not None else [])]
	query: dict[str, object] = {
		"fields": list(fields),
		"filters": [[read.kind, *one] for one in filters],
		"order_by": f"`tab{read.kind}`.`name` asc",
		"limit_page_length": count,
	}
	if read.or_filters:
		query["or_filters"] = list(read.or_filters)
	if read.parent:
		query["parent"] = read.parent
	rows = client.get(f"resource/{read.kind}", **query)
	if not isinstance(rows, list) or any(not isinstance(row, dict) or "name" not in row for row in rows):
		raise CannotRead(f"{client.url} does not answer like a site of Frappe's.")
	return rows


def _sentence(read: Read, refused: Refused) -> str:
	of = f"{read.kind} (rows of {read.parent})" if read.parent else read.kind
	if refused.status == 403:
		return f"{of}: the user of the key may not read it. Give a role of that user the right to read {read.parent or read.kind}."
	if refused.status == 404:
		return f"{of}: the site has no such DocType."
	if refused.status >= 500:
		return (
			f"{of}: the site answered {refused.status} each time, and gave nothing. Its Error Log says why; run this again when it is "
			"mended."
		)
	return f"{of}: the site answered {refused.status} and gave nothing."
