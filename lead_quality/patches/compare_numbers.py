"""For sites that have the app already: numbers and addresses can be looked for however they are written, and an opt-out
holds for all of them."""

import frappe
from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.phone import country_of, number_key
from lead_quality.base.rows import insert_rows, update_rows
from lead_quality.custom_fields import CUSTOM_FIELDS
from lead_quality.funnel import person

CHUNK = 1_000
SETTINGS = "Lead Quality Settings"
# defaults of settings that are new; where nothing is stored yet, the DocType's own count
NEW_SETTINGS = {"phone_opt_out_closes_messages": 1, "answer_within_hours": 8}


def execute():
	from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

	# `after_migrate` makes them only after the patches
	create_custom_fields(
		{name: CUSTOM_FIELDS[name] for name in ("Lead", "Communication")}, ignore_validate=True
	)
	while leads := person.without_keys(CHUNK):
		person.correct_keys(leads)
		frappe.db.commit()
	fill_opt_outs()
	add_other_numbers()
	stored = frappe.db.get_singles_dict(SETTINGS)
	for fieldname, value in NEW_SETTINGS.items():
		if stored and fieldname not in stored:
			frappe.db.set_single_value(SETTINGS, fieldname, value, update_modified=False)


def add_other_numbers():
	"""An opt-out was kept for one number of a lead only; it holds for all of them."""
	rows = query.run(
		"""
		select o.channel, o.reason, o.lead, o.opted_out_at, l.lq_phone_key, l.lq_mobile_key, l.lq_whatsapp_key
		from `tabContact Opt Out` o join `tabLead` l on l.name = o.lead
		where o.reason != 'Bounced'
		""",
		as_dict=True,
	)
	known = {
		(row.lead, row.channel, row.phone_key)
		for row in frappe.get_all(
			"Contact Opt Out", {"lead": ["is", "set"]}, ["lead", "channel", "phone_key"], order_by="name asc"
		)
	}
	missing = []
	for row in rows:
		for key in person.NUMBER_KEYS.values():
			number = row[key]
			if number and (row.lead, row.channel, number) not in known:
				known.add((row.lead, row.channel, number))
				missing.append(
					{
						"channel": row.channel,
						"reason": row.reason,
						"lead": row.lead,
						"opted_out_at": row.opted_out_at,
						"phone": number.lstrip("="),
						"phone_key": number,
					}
				)
	for start in range(0, len(missing), CHUNK):
		insert_rows("Contact Opt Out", missing[start : start + CHUNK], now_datetime())


def fill_opt_outs():
	"""The opt-outs' numbers, in the country of their lead, else of the site."""
	rows = query.run(
		"""
		select o.name, o.phone, l.country, l.company from `tabContact Opt Out` o left join `tabLead` l on l.name = o.lead
		where ifnull(o.phone, '') != '' and o.phone_key is null
		""",
		as_dict=True,
	)
	for start in range(0, len(rows), CHUNK):
		update_rows(
			"Contact Opt Out",
			[
				{"name": row.name, "phone_key": number_key(row.phone, country_of(row)) or ""}
				for row in rows[start : start + CHUNK]
			],
		)
