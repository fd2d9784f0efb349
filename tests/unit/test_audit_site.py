"""Reading a site over REST where it is busy, far away, broken off, or says no. That a real site is read is a browser test."""

import json
import ssl
import threading
import urllib.error
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from lead_quality.audit import cli, site
from lead_quality.audit.readers import CannotRead
from lead_quality.audit.site import Client, fetch, key_of

KEY = "k3y:s3cret"
LEADS = [
	{
		"name": f"L-{number:03}",
		"creation": f"2026-01-{number % 28 + 1:02} 09:00:00",
		"status": "Lead",
		"email_id": None,
	}
	for number in range(25)
]
LACKS = {"Lead": {"source", "whatsapp_no"}}


class Site:
	"""Answers as far as the audit asks; `before` may answer something else: a status, headers, and a body."""

	def __init__(self) -> None:
		self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
		self.headers: list[dict[str, str]] = []
		self.rows = {"Lead": LEADS}
		self.roles = ["System Manager"]
		self.user_permissions: dict[str, list[dict[str, object]]] = {}
		self.before: Callable[[str, dict], tuple[int, dict[str, str], object] | None] = lambda path, query: (
			None
		)
		outer = self

		class Handler(BaseHTTPRequestHandler):
			def do_GET(self):
				parts = urlsplit(self.path)
				query = parse_qs(parts.query)
				outer.asked.append((self.command, parts.path, query))
				outer.headers.append(dict(self.headers))
				status, headers, body = outer.before(parts.path, query) or outer.answer(parts.path, query)
				self.send_response(status)
				for name, value in headers.items():
					self.send_header(name, value)
				self.end_headers()
				self.wfile.write(json.dumps(body).encode())

			def log_message(self, *_arguments: object):
				pass

		self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.url = f"http://127.0.0.1:{self.server.server_port}"

	def answer(self, path: str, query: dict) -> tuple[int, dict[str, str], object]:
		if path.endswith("get_logged_user"):
			return 200, {}, {"message": "reader@example.com"}
		if path.endswith("get_roles"):
			return 200, {}, {"message": self.roles}
		if path.endswith("get_user_permissions"):
			return 200, {}, {"message": self.user_permissions}
		kind = path.rsplit("/", 1)[1].replace("%20", " ")
		fields = json.loads(query["fields"][0])
		for name in fields:
			if name in LACKS.get(kind, ()):
				return (
					500,
					{},
					{"exception": f"OperationalError: (1054, \"Unknown column '{name}' in 'SELECT'\")"},
				)
		after = [one[3] for one in json.loads(query["filters"][0]) if one[1] == "name"]
		rows = [row for row in self.rows.get(kind, []) if not after or row["name"] > after[0]]
		some = rows[: int(query["limit_page_length"][0])]
		return 200, {}, {"data": [{name: row.get(name) for name in fields} for row in some]}


@pytest.fixture
def pretended() -> Iterator[Site]:
	served = Site()
	thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
	thread.start()
	yield served
	served.server.shutdown()
	thread.join()
	served.server.server_close()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
	monkeypatch.setattr(site, "ROWS_A_PAGE", 10)


def client(served: Site, waited: list[float] | None = None) -> Client:
	return Client(served.url, KEY, rate=10_000, sleep=(waited if waited is not None else []).append)


def names(fetched) -> list[str]:
	[leads] = [table for table in fetched.tables() if table.kind == "Lead"]
	return [str(row["name"]) for row in leads.rows()]


def test_every_lead_is_read_once_by_get_only_and_without_offset(pretended, tmp_path):
	fetched = fetch(client(pretended), tmp_path / "site")

	assert names(fetched) == [row["name"] for row in LEADS]
	assert {verb for verb, _path, _query in pretended.asked} == {"GET"}
	assert not any("limit_start" in query for _verb, _path, query in pretended.asked)
	assert {headers["Authorization"] for headers in pretended.headers} == {f"token {KEY}"}


def test_fields_of_other_versions_are_asked_for_once(pretended, tmp_path):
	fetched = fetch(client(pretended), tmp_path / "site")

	[leads] = [table for table in fetched.tables() if table.kind == "Lead"]
	assert "creation" in leads.fields and not LACKS["Lead"] & leads.fields
	with_source = [query for _verb, _path, query in pretended.asked if '"source"' in str(query.get("fields"))]
	assert len(with_source) <= 2  # the other one was refused first


def test_fields_that_are_refused_without_their_name_are_found_out(pretended, tmp_path):
	def before(path, query):
		if path.endswith("/Lead") and '"phone"' in query["fields"][0]:
			return 417, {}, {"exception": "DataError"}
		return None

	pretended.before = before
	fetched = fetch(client(pretended), tmp_path / "site")

	[leads] = [table for table in fetched.tables() if table.kind == "Lead"]
	assert names(fetched) == [row["name"] for row in LEADS]
	assert "phone" not in leads.fields and "mobile_no" in leads.fields


def test_a_doctype_that_may_not_be_read_is_said_and_the_rest_counts(pretended, tmp_path):
	pretended.before = lambda path, _query: (
		(403, {}, {"exc_type": "PermissionError"}) if path.endswith("Quotation") else None
	)

	fetched = fetch(client(pretended), tmp_path / "site")

	assert len(names(fetched)) == len(LEADS)
	assert fetched.lacking == [
		"Quotation: the user of the key may not read it. Give a role of that user the right to read Quotation."
	]


@pytest.mark.parametrize(
	("roles", "is_said"),
	[
		(["Sales User"], True),
		(["Sales User", "Super Email User"], False),
		(["System Manager"], False),
		("?", False),
	],
)
def test_who_is_shown_no_mail_of_others_is_told_that_leads_look_untouched(
	pretended, tmp_path, roles, is_said
):
	pretended.roles = roles

	fetched = fetch(client(pretended), tmp_path / "site")

	assert any("look untouched" in sentence for sentence in fetched.lacking) == is_said


def test_leads_that_may_not_be_read_are_no_audit(pretended, tmp_path):
	pretended.before = lambda path, _query: (
		(403, {}, {"exc_type": "PermissionError"}) if path.endswith("/Lead") else None
	)

	with pytest.raises(CannotRead, match="the right to read Lead"):
		fetch(client(pretended), tmp_path / "site")


def test_a_right_that_was_given_since_is_used_by_the_same_command(pretended, tmp_path):
	refused = {"/Lead", "/Quotation"}
	pretended.rows["Quotation"] = [{"name": "Q-1", "creation": "2026-01-09 09:00:00", "party_name": "L-001"}]
	pretended.before = lambda path, _query: (
		(403, {}, {"exc_type": "PermissionError"}) if path[path.rindex("/") :] in refused else None
	)
	with pytest.raises(CannotRead, match="run this again then"):
		fetch(client(pretended), tmp_path / "site")
	refused.remove("/Lead")
	assert len(fetch(client(pretended), tmp_path / "site").lacking) == 1
	refused.clear()

	fetched = fetch(client(pretended), tmp_path / "site")

	assert fetched.lacking == []
	assert {"Lead", "Quotation"} <= {table.kind for table in fetched.tables()}


def test_a_user_who_is_shown_no_leads_is_told_so_and_not_that_there_are_none(pretended, tmp_path):
	pretended.rows["Lead"] = []
	pretended.user_permissions = {"Company": [{"doc": "Other Ltd", "applicable_for": None}]}

	with pytest.raises(
		CannotRead, match=r"shows the user of the key no leads\..*User Permissions on Company"
	):
		fetch(client(pretended), tmp_path / "site")


@pytest.mark.parametrize(
	("user_permissions", "limited_by"),
	[
		({}, []),
		([], []),
		(
			{"Territory": [{"applicable_for": "Lead"}], "Company": [{"applicable_for": None}]},
			["Company", "Territory"],
		),
		({"Company": [{"applicable_for": "Sales Invoice"}]}, []),
		(
			{"Sales Order": [{"applicable_for": "Delivery Note"}, {"applicable_for": "Sales Order"}]},
			["Sales Order"],
		),
	],
)
def test_user_permissions_that_may_hide_what_is_read_are_named(
	pretended, tmp_path, user_permissions, limited_by
):
	pretended.user_permissions = user_permissions

	fetched = fetch(client(pretended), tmp_path / "site")

	assert fetched.limited_by == limited_by
	assert [sentence for sentence in fetched.lacking if "only what this user may see" in sentence] == (
		fetched.lacking if limited_by else []
	)


def test_the_terminal_and_the_page_say_that_only_what_the_user_may_see_was_counted(
	pretended, tmp_path, monkeypatch, capsys
):
	monkeypatch.setenv("LEAD_QUALITY_KEY", KEY)
	words = ["audit", "--site", pretended.url, "--rate", "1000", "--out", str(tmp_path)]
	told = "Only what the user of the key may see was counted: it has User Permissions on Company."

	assert cli.main(words) == 0
	assert told not in capsys.readouterr().out + (tmp_path / "audit.html").read_text()
	pretended.user_permissions = {"Company": [{"doc": "Wind Power Ltd", "applicable_for": None}]}
	assert cli.main(words) == 0

	page, terminal = (tmp_path / "audit.html").read_text(), capsys.readouterr().out
	for written in (page, terminal):
		assert told in written and "whether there is more cannot be known" in written
		assert "the key of a user who has none, with the roles System Manager" in written
		assert "Wind Power Ltd" not in written  # names of documents may be names of people
	assert page.index(told) < page.index("<section")


def test_what_was_begun_with_other_rights_is_not_gone_on_with(pretended, tmp_path):
	pretended.user_permissions = {"Company": [{"doc": "Other Ltd", "applicable_for": None}]}
	fetch(client(pretended), tmp_path / "site")
	pretended.user_permissions = {}

	with pytest.raises(CannotRead, match="User Permissions have changed since"):
		fetch(client(pretended), tmp_path / "site")


def test_a_key_that_is_replaced_while_it_is_read_is_no_lack_of_rights(pretended, tmp_path):
	def before(path, query):
		if path.endswith("/Lead") and "L-009" in query["filters"][0]:
			return 401, {}, {"exc_type": "AuthenticationError"}
		return None

	pretended.before = before
	with pytest.raises(CannotRead, match=r"does not take the key.* make new ones .* It goes on where it was"):
		fetch(client(pretended), tmp_path / "site")
	pretended.before = lambda _path, _query: None
	pretended.asked.clear()

	assert names(fetch(client(pretended), tmp_path / "site")) == [row["name"] for row in LEADS]
	first = next(query for _verb, path, query in pretended.asked if path.endswith("/Lead"))
	assert "L-009" in first["filters"][0]


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_called_so(status, pretended, tmp_path):
	pretended.before = lambda _path, _query: (status, {}, {"exc_type": "AuthenticationError"})

	with pytest.raises(CannotRead, match="does not take the key"):
		fetch(client(pretended), tmp_path / "site")


def test_a_site_that_is_busy_is_left_alone_as_long_as_it_says(pretended, tmp_path):
	busy = iter([(429, {"Retry-After": "17"}, {}), (503, {}, {})])
	pretended.before = lambda path, _query: next(busy, None) if path.endswith("/Lead") else None
	waited: list[float] = []

	fetched = fetch(client(pretended, waited), tmp_path / "site")

	assert [seconds for seconds in waited if seconds > 1] == [17.0, 4.0]
	assert len(names(fetched)) == len(LEADS)


def test_a_site_that_asks_for_an_hour_is_not_waited_for(pretended, tmp_path):
	pretended.before = lambda _path, _query: (429, {"Retry-After": "3600"}, {})

	with pytest.raises(CannotRead, match="left alone for 3600 s"):
		fetch(client(pretended), tmp_path / "site")


def test_whoever_looks_on_is_told_of_a_wait(pretended):
	busy = iter([(429, {"Retry-After": "300"}, {}), (503, {}, {})])
	pretended.before = lambda _path, _query: next(busy, None)
	told: list[str] = []
	waiting = Client(pretended.url, KEY, rate=10_000, sleep=lambda _seconds: None, told=told.append)

	waiting.get("method/frappe.auth.get_logged_user")

	assert told == [f"{pretended.url} answers 429: asked again in 300 s"]


def test_a_site_that_breaks_down_once_is_asked_again_and_no_field_is_lost(pretended, tmp_path):
	broken = iter([(500, {}, {"exc_type": "ValueError"})] * 4)
	pretended.before = lambda path, query: (
		next(broken, None) if path.endswith("/Lead") and '"source"' not in query["fields"][0] else None
	)
	waited: list[float] = []

	fetched = fetch(client(pretended, waited), tmp_path / "site")

	[leads] = [table for table in fetched.tables() if table.kind == "Lead"]
	assert [seconds for seconds in waited if seconds > 1] == [2.0, 4.0, 8.0, 16.0]
	assert fetched.lacking == [] and "utm_source" in leads.fields
	assert names(fetched) == [row["name"] for row in LEADS]


def test_a_field_that_is_unknown_with_500_is_not_asked_for_again(pretended, tmp_path):
	waited: list[float] = []

	fetch(client(pretended, waited), tmp_path / "site")

	assert not [seconds for seconds in waited if seconds > 1]


def test_a_site_that_shows_no_tracebacks_soon_gives_what_it_has(pretended, tmp_path):
	"""An unknown column is then an error of the database like any other."""

	def before(path, query):
		if path.endswith("/Lead") and LACKS["Lead"] & set(json.loads(query["fields"][0])):
			return 500, {}, {"exc_type": "OperationalError"}
		return None

	pretended.before = before
	waited: list[float] = []

	fetched = fetch(client(pretended, waited), tmp_path / "site")

	[leads] = [table for table in fetched.tables() if table.kind == "Lead"]
	assert "utm_source" in leads.fields and not LACKS["Lead"] & leads.fields
	assert [seconds for seconds in waited if seconds > 1] == [2.0] * 3  # the page, and each of the two


@pytest.mark.parametrize("said", ["ValueError", "OperationalError (2013, 'Lost connection')"])
def test_a_doctype_that_breaks_down_each_time_is_said_and_the_rest_counts(pretended, tmp_path, said):
	pretended.before = lambda path, _query: (
		(500, {}, {"exc_type": said}) if path.endswith("Quotation") else None
	)

	fetched = fetch(client(pretended), tmp_path / "site")

	[lacking] = fetched.lacking
	assert lacking.startswith("Quotation: the site answered 500 each time") and "Error Log" in lacking
	assert names(fetched) == [row["name"] for row in LEADS]


def test_a_site_that_is_broken_is_not_called_a_wrong_address(pretended, tmp_path):
	pretended.before = lambda _path, _query: (500, {}, {"exc_type": "ValueError"})

	with pytest.raises(CannotRead, match=r"answers 500, 5 times.* its Error Log says what"):
		fetch(client(pretended), tmp_path / "site")


def test_requests_keep_their_pace(pretended):
	waited: list[float] = []
	slow = Client(pretended.url, KEY, rate=0.5, sleep=waited.append, clock=lambda: 100.0)

	for _time in range(3):
		slow.get("method/frappe.auth.get_logged_user")

	assert waited == [2.0, 4.0]  # as nobody really sleeps, the clock stands still


def test_what_was_broken_off_goes_on_where_it_was(pretended, tmp_path):
	def stop(kind: str, rows: int):
		if (kind, rows) == ("Lead", 20):
			raise KeyboardInterrupt

	with pytest.raises(KeyboardInterrupt):
		fetch(client(pretended), tmp_path / "site", stop)
	with (tmp_path / "site" / "lead.jsonl").open("a") as file:
		file.write('{"name": "half a li')
	pretended.asked.clear()

	fetched = fetch(client(pretended), tmp_path / "site")

	assert names(fetched) == [row["name"] for row in LEADS]
	pages = [query for _verb, path, query in pretended.asked if path.endswith("/Lead")]
	assert len(pages) == 1 and "L-019" in pages[0]["filters"][0]


def test_what_was_begun_of_another_site_is_not_gone_on_with(pretended, tmp_path):
	fetch(client(pretended), tmp_path / "site")
	state = json.loads((tmp_path / "site" / "state.json").read_text())
	(tmp_path / "site" / "state.json").write_text(json.dumps({**state, "site": "https://other.example"}))

	with pytest.raises(CannotRead, match=r"begun of https://other\.example"):
		fetch(client(pretended), tmp_path / "site")


def test_the_key_is_not_sent_to_where_a_site_sends_on_to(pretended, tmp_path):
	pretended.before = lambda _path, _query: (301, {"Location": "https://elsewhere.example/x"}, {})

	with pytest.raises(CannotRead, match=r"--site https://elsewhere\.example"):
		fetch(client(pretended), tmp_path / "site")


@pytest.mark.parametrize(
	("address", "why"),
	[
		("http://erp.example.com", "over http anybody"),
		("ftp://erp.example.com", "takes an address"),
		("https://user:word@erp.example.com", "takes an address"),
		("", "takes an address"),
	],
)
def test_a_key_goes_to_no_address_where_others_could_read_it(address, why):
	with pytest.raises(CannotRead, match=why):
		Client(address, KEY)


def test_a_certificate_that_is_not_trusted_is_called_so():
	distrust = ssl.SSLCertVerificationError(1, "certificate verify failed")
	distrust.reason = "CERTIFICATE_VERIFY_FAILED"

	with pytest.raises(CannotRead, match="SSL_CERT_FILE"):
		site._why_unreachable(urllib.error.URLError(distrust), "https://erp.example.com")


def test_a_port_that_speaks_plain_http_is_called_so(pretended):
	secure = Client(pretended.url.replace("http:", "https:"), KEY, sleep=lambda _seconds: None)

	with pytest.raises(CannotRead, match="does not speak https there"):
		secure.get("method/frappe.auth.get_logged_user")


def test_a_proxy_that_does_not_let_it_through_is_called_so(pretended, monkeypatch):
	monkeypatch.setenv("https_proxy", pretended.url)  # which does no CONNECT
	through = Client("https://erp.example.com", KEY, sleep=lambda _seconds: None)

	with pytest.raises(CannotRead, match="HTTPS_PROXY"):
		through.get("method/frappe.auth.get_logged_user")


def test_a_site_that_is_not_there_is_called_so_after_some_tries():
	gone = Client("http://127.0.0.1:9", KEY, rate=10_000, sleep=lambda _seconds: None)

	with pytest.raises(CannotRead, match=r"cannot be reached .* 5 times"):
		gone.get("method/frappe.auth.get_logged_user")


def test_what_is_no_site_of_frappes_is_called_so(pretended, tmp_path):
	pretended.before = lambda _path, _query: (200, {}, ["a", "list"])

	with pytest.raises(CannotRead, match="does not answer like a site"):
		fetch(client(pretended), tmp_path / "site")


def test_a_key_comes_from_a_file_or_the_environment(tmp_path):
	(tmp_path / "key").write_text(f"{KEY}\n")

	assert key_of(tmp_path / "key", {}) == KEY
	assert key_of(None, {"LEAD_QUALITY_KEY": KEY}) == KEY
	for wrong in ({}, {"LEAD_QUALITY_KEY": "only-a-key"}):
		with pytest.raises(CannotRead) as refused:
			key_of(None, wrong)
		assert "only-a-key" not in str(refused.value)


def test_the_command_reads_a_site_and_leaves_neither_key_nor_what_it_read(pretended, tmp_path, capsys):
	(tmp_path / "key").write_text(KEY)
	out = tmp_path / "out"
	words = [
		"audit",
		"--site",
		pretended.url,
		"--key-file",
		str(tmp_path / "key"),
		"--rate",
		"1000",
		"--out",
		str(out),
	]

	assert cli.main(words) == 0

	written = capsys.readouterr()
	assert "25 of 25 lines counted" in written.out
	assert not (out / "site").exists()
	everything = written.out + written.err + "".join(path.read_text() for path in out.iterdir())
	assert "s3cret" not in everything and "reader@example.com" not in everything


def test_the_command_keeps_what_it_read_of_a_site_if_it_is_broken_off(
	pretended, tmp_path, monkeypatch, capsys
):
	monkeypatch.setenv("LEAD_QUALITY_KEY", KEY)
	monkeypatch.setattr(site, "_keep", _keep_and_stop(site._keep))

	assert cli.main(["audit", "--site", pretended.url, "--rate", "1000", "--out", str(tmp_path)]) == 130

	assert "the same command goes on" in capsys.readouterr().err
	kept = list((tmp_path / "site").iterdir())
	assert {path.name for path in kept} == {"state.json", "lead.jsonl"}
	assert "s3cret" not in "".join(path.read_text() for path in kept)


def _keep_and_stop(keep):
	def kept(folder: Path, state):
		keep(folder, state)
		raise KeyboardInterrupt

	return kept


def test_an_anonymous_audit_does_not_ask_for_names(pretended, tmp_path):
	fetch(client(pretended), tmp_path / "site", with_names=False)

	of_leads = [query["fields"][0] for _verb, path, query in pretended.asked if path.endswith("/Lead")]
	assert of_leads and not any("lead_name" in fields or "company_name" in fields for fields in of_leads)


def test_a_site_that_answers_the_same_rows_again_is_told_and_not_read_for_ever(pretended, tmp_path):
	first = [{"name": row["name"], "creation": row["creation"]} for row in LEADS[:10]]
	pretended.before = lambda path, query: (
		(200, {}, {"data": first}) if path.endswith("/Lead") and len(pretended.asked) < 50 else None
	)

	with pytest.raises(CannotRead, match="the same rows of Lead again"):
		fetch(client(pretended), tmp_path / "site")
