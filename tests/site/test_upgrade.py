"""ERPNext v15 becomes v16: leads keep their source, and with it their segment."""

import frappe
import pytest
from frappe.utils import now_datetime
from frappe.utils.fixtures import sync_fixtures

from lead_quality.base.versions import CARRIED_OVER, lead_field
from lead_quality.custom_fields import SITES_OWN
from lead_quality.demo.factories import make_lead, make_source
from lead_quality.install import after_migrate
from lead_quality.qualification import requalify


def forget_upgrade():
	frappe.db.delete("DefaultValue", {"parent": "__global", "defkey": CARRIED_OVER})
	frappe.clear_cache()


@pytest.fixture
def upgraded(real_commits):
	"""Two leads of a site that has just come from v15: it has their sources in a column that v16 does not know."""
	if lead_field("source") == "source":
		pytest.skip("v16 has renamed the field")
	make_source("Exhibition")
	leads = [make_lead(source=None), make_lead(source=None)]
	form = frappe.get_doc(
		{
			"doctype": "Web Form",
			"title": "Visit Us",
			"route": "visit-us",
			"module": "Lead Quality",
			"doc_type": "Lead",
			"web_form_fields": [{"fieldname": "first_name", "fieldtype": "Data", "label": "Name"}],
		}
	).insert()
	asked = {"fieldname": "source", "fieldtype": "Link", "options": "Lead Source", "label": "Source"}
	hidden = form.append("web_form_fields", asked)
	hidden.db_insert()
	forget_upgrade()
	frappe.db.commit()
	frappe.db.sql_ddl(
		"alter table `tabLead` add column source varchar(140), add column campaign_name varchar(140)"
	)
	frappe.clear_cache()
	for lead, source in zip(leads, ("Exhibition", "Forgotten"), strict=True):
		frappe.db.sql(
			"update `tabLead` set source = %s, lq_segment = 'Events' where name = %s", (source, lead.name)
		)
	frappe.db.commit()
	try:
		yield [lead.name for lead in leads], hidden.name
	finally:
		frappe.db.rollback()
		frappe.db.sql_ddl("alter table `tabLead` drop column source, drop column campaign_name")
		for lead in leads:
			frappe.delete_doc("Lead", lead.name, force=True)
		frappe.delete_doc("Web Form", form.name, force=True)
		frappe.db.set_global(CARRIED_OVER, "1")
		frappe.db.commit()
		frappe.clear_cache()


def test_leads_keep_their_source_and_segment_when_v15_becomes_v16(upgraded):
	(lead, other), hidden = upgraded
	after_migrate()
	assert frappe.db.get_value("Lead", lead, "utm_source") == "Exhibition"
	asked = frappe.db.get_value("Web Form Field", hidden, ["fieldname", "options"])
	assert asked == ("utm_source", "UTM Source")
	requalify.judge_chunk([lead], now_datetime())
	assert frappe.db.get_value("Lead", lead, "lq_segment") == "Events"
	# no such source any more: a link to nothing would keep the lead from being saved
	assert not frappe.db.get_value("Lead", other, "utm_source")


def test_what_is_changed_after_the_upgrade_is_not_overwritten_by_the_next_migrate(upgraded):
	(lead, _other), _hidden = upgraded
	after_migrate()
	frappe.db.set_value("Lead", lead, "utm_source", None)
	after_migrate()
	assert not frappe.db.get_value("Lead", lead, "utm_source")


def test_a_campaign_is_found_by_its_title_where_it_was_named_by_a_series(upgraded):
	(lead, _other), _hidden = upgraded
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Spring Fair"})
	campaign.flags.name_set, campaign.name = True, "SAL-CAM-2024-00001"
	campaign.db_insert()
	frappe.get_doc({"doctype": "UTM Campaign", "name": "Spring Fair"}).db_insert()
	frappe.db.sql("update `tabLead` set campaign_name = %s where name = %s", (campaign.name, lead))
	try:
		after_migrate()
		assert frappe.db.get_value("Lead", lead, "utm_campaign") == "Spring Fair"
	finally:
		frappe.db.delete("Campaign", {"name": campaign.name})
		frappe.db.delete("UTM Campaign", {"name": "Spring Fair"})


def test_what_an_admin_has_allowed_the_apps_roles_outlives_a_migrate():
	forget_upgrade()
	own = {"parent": "Territory", "role": "Lead Quality Manager", "permlevel": 0}
	frappe.db.set_value("Custom DocPerm", own, {"select": 0, "read": 1})
	after_migrate()
	assert frappe.db.get_value("Custom DocPerm", own, ["select", "read"]) == (0, 1)


def test_a_migrate_leaves_what_an_administrator_says_of_the_apps_roles(site):
	"""Frappe replaces what an app ships as fixtures with each migrate: a second factor that a role asks for would be gone."""
	role = frappe.get_doc("Role", "Lead Quality Manager")
	role.update({"two_factor_auth": 1, "home_page": "/app/lead"})
	role.save()

	sync_fixtures("lead_quality")

	assert frappe.db.get_value("Role", role.name, ["two_factor_auth", "home_page"]) == (1, "/app/lead")


def test_what_an_administrator_says_of_a_field_in_customize_form_outlives_a_migrate():
	field = "Lead-lq_stage"
	frappe.db.set_value(
		"Custom Field",
		field,
		{"label": "Funnel Stage", "in_standard_filter": 0, "in_list_view": 1, "hidden": 1},
	)
	after_migrate()
	own = frappe.db.get_value(
		"Custom Field", field, ["label", "in_standard_filter", "in_list_view", "hidden"]
	)
	assert own == ("Funnel Stage", 0, 1, 1)
	# what the app relies on is not theirs
	assert not SITES_OWN & {"fieldtype", "options", "read_only", "no_copy", "search_index", "permlevel"}
