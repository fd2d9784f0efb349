"""The definitions in force, shared by all processes: segments, checklists, agreements, models of priority; and the
documents of those that each new lead asks for."""

import pickle
import time

import frappe
from redis.exceptions import RedisError

from lead_quality.base import query

CACHE = "lead_quality_definitions"
# changed with the definitions in one transaction, and named in Redis after it
GENERATION = "lead_quality_definitions_generation"
CHANGED_HERE = "lead_quality_definitions_changed"  # of frappe.local
LIFETIME = 600  # seconds

# what this process has had from Redis or put there, by site: as good as what Redis holds, for as long as that is of the
# same generation
_kept: dict[str, dict] = {}
# the documents that this process has read, by site: of the definitions that were in force then
_documents: dict[str, tuple[tuple, dict]] = {}

# field, operator and value of a segment's rule, and whether it leaves out what a visitor says
Rule = tuple[str, str, str, bool]


def in_force() -> dict:
	"""The definitions that hold now, kept as one value in Redis: every save of a Lead asks for them.

	Redis gets only what no transaction has changed since this one began, and never what this one has changed itself
	and not committed. What it holds counts only while it is of the present generation, and ten minutes at most.

	:returns: `segments`, the names of the enabled ones in their order, with their rules; `sources`, the fields and
	    facts that criteria of checklists in force name as `lead_field`; `agreements`, the names of the Active ones by
	    company and segment; `priorities`, the models in use by company, as `engine.priority.Model.as_dict` gives
	    them; a `token`, another one each time that any of these has changed; and `until`, in seconds since 1970. Shared by
	    all that this process does: nobody changes it.
	"""
	changed = getattr(frappe.local, CHANGED_HERE, None)
	if changed:
		changed["value"] = changed["value"] or _load(changed["token"])
		return changed["value"]
	token = frappe.cache.get_value(GENERATION)
	value = _kept.get(frappe.local.site)
	if value and value["token"] == token and time.time() < value["until"]:
		return value
	value = frappe.cache.get_value(CACHE)
	if value and value["token"] == token:
		# what a worker of an older version has put there does not say until when it counts
		_kept[frappe.local.site] = {"until": 0, **value}
		return value
	generation = generation_here()
	value = _load(generation)
	if _is_latest(generation):
		_keep(value)
	return value


def document(doctype: str, name: str):
	"""A Lead Segment, Nurture Cadence or Follow Up Policy, read once a process for as long as no definition has changed:
	Frappe's cache has it from Redis in each request. Nobody changes it.

	:raises frappe.DoesNotExistError: if there is none.
	"""
	definitions = in_force()
	state = (definitions["token"], definitions["until"])
	known, documents = _documents.get(frappe.local.site, ((), {}))
	if known != state:
		documents = {}
		_documents[frappe.local.site] = (state, documents)
	key = (doctype, name)
	if key in documents:
		return documents[key]
	doc = frappe.get_doc(doctype, name)
	if generation_here() == definitions["token"]:
		documents[key] = doc
	return doc


def clear_caches():
	"""Forget the definitions: they have changed. Until the end of the transaction others read what was, and this one
	what may never be."""
	generation = frappe.generate_hash()
	_write_generation(generation)
	setattr(frappe.local, CHANGED_HERE, {"token": generation, "value": None})

	def publish():
		frappe.cache.set_value(GENERATION, generation, expires_in_sec=LIFETIME)
		forget()

	def forget():
		setattr(frappe.local, CHANGED_HERE, None)
		_forget_here()

	frappe.db.after_commit.add(publish)
	frappe.db.after_rollback.add(forget)


def _write_generation(generation: str):
	"""Frappe's `set_global` throws the whole site's cache away with every value, so that is left to the first one."""
	query.run(
		"update `tabDefaultValue` set defvalue = %s where parent = '__global' and defkey = %s",
		(generation, GENERATION),
	)
	if generation_here() != generation:
		frappe.db.set_global(GENERATION, generation)


def generation_here() -> str:
	"""The generation of the definitions that this transaction reads: the `token` of `in_force`, unless that is
	newer."""
	row = query.run(
		"select defvalue from `tabDefaultValue` where parent = '__global' and defkey = %s", (GENERATION,)
	)
	return row[0][0] if row else ""


def _is_latest(generation: str) -> bool:
	"""Whether nobody has changed the definitions since this transaction began, nor is about to."""
	try:
		row = query.run(
			"""
			select defvalue from `tabDefaultValue` where parent = '__global' and defkey = %s
			lock in share mode nowait
			""",
			(GENERATION,),
		)
	except frappe.QueryTimeoutError:
		return False  # somebody is at it
	return (row[0][0] if row else "") == generation


def _keep(value: dict):
	"""Put definitions into Redis. Who has changed them since says so after the commit, and that stands: a generation is
	only named here where there is none."""
	try:
		key = frappe.cache.make_key(GENERATION)
		# `key` names the site; `set_value` cannot leave alone what is there
		frappe.cache.set(key, pickle.dumps(value["token"]), ex=LIFETIME, nx=True)  # nosemgrep
		frappe.cache.set_value(CACHE, value, expires_in_sec=LIFETIME)
	except RedisError:
		return
	_forget_here()
	_kept[frappe.local.site] = value


def _forget_here():
	# what this process remembers of Redis
	for name in (CACHE, GENERATION):
		frappe.local.cache.pop(frappe.cache.make_key(name), None)


def _load(token: str) -> dict:
	return {
		"segments": _segments(),
		"sources": _sources(),
		"agreements": _agreements(),
		"priorities": _priorities(),
		"token": token,
		"until": time.time() + LIFETIME,
	}


def _segments() -> list[tuple[str, list[Rule]]]:
	names = frappe.get_all(
		"Lead Segment", {"enabled": 1}, pluck="name", order_by="priority asc, creation asc, name asc"
	)
	rules: dict[str, list[Rule]] = {name: [] for name in names}
	for row in frappe.get_all(
		"Lead Segment Rule",
		{"parent": query.among(names)},
		["parent", "field", "operator", "value", "not_from_visitors"],
		order_by="idx asc",
	):
		rules[row.parent].append((row.field, row.operator, row.value or "", bool(row.not_from_visitors)))
	return list(rules.items())


def _sources() -> frozenset[str]:
	return frozenset(
		query.run(
			"""
			select distinct c.lead_field from `tabQualification Criterion` c
			join `tabQualification Checklist` l on l.name = c.parent
			where l.status != 'Draft' and ifnull(c.lead_field, '') != ''
			""",
			pluck=True,
		)
	)


def _agreements() -> dict[tuple[str | None, str | None], str]:
	rows = frappe.get_all(
		"Sales Ready Agreement", {"status": "Active"}, ["name", "company", "segment"], order_by="creation asc"
	)
	return {(row.company or None, row.segment or None): row.name for row in rows}


def _priorities() -> dict[str, dict]:
	rows = frappe.get_all(
		"Lead Priority Model",
		{"status": "In Use", "model": ["is", "set"]},
		["company", "model"],
		order_by="creation asc",
	)
	return {row.company or "": frappe.parse_json(row.model) for row in rows}
