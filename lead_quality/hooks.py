app_name = "lead_quality"
app_title = "Lead Quality"
app_publisher = "Lead Quality maintainers"
app_description = "Stops leads from being wasted: qualify, nurture, hand over, follow up, in ERPNext."
app_email = "maintainers@lead-quality.example"
app_license = "gpl-3.0"
app_logo_url = "/assets/lead_quality/images/logo.svg"
required_apps = ["frappe/erpnext"]

add_to_apps_screen = [
	{
		"name": "lead_quality",
		"logo": "/assets/lead_quality/images/logo.svg",
		"title": "Lead Quality",
		"route": "/app/lead-quality",
		"has_permission": "lead_quality.permissions.may_use_app",
	}
]

# Installation
# ------------

before_install = "lead_quality.install.before_install"
after_install = "lead_quality.install.after_install"
after_migrate = "lead_quality.install.after_migrate"
setup_wizard_complete = "lead_quality.install.after_setup_wizard"
before_uninstall = "lead_quality.uninstall.before_uninstall"
after_uninstall = "lead_quality.uninstall.after_uninstall"

# Desk
# ----

app_include_css = "lead_quality.bundle.css"
app_include_js = "lead_quality.bundle.js"
# scripts of our own DocTypes lie in their folders
doctype_js = {"Communication": "public/js/communication_form.js", "Lead": "public/js/lead_form.js"}
doctype_list_js = {"Lead": "public/js/lead_list.js"}
override_whitelisted_methods = {
	"erpnext.crm.doctype.lead.lead.add_lead_to_prospect": "lead_quality.overrides.whitelisted.add_lead_to_prospect",
	"erpnext.crm.doctype.lead.lead.get_lead_details": "lead_quality.overrides.lead.get_lead_details",
	"erpnext.crm.doctype.lead.lead.make_lead_from_communication": "lead_quality.overrides.whitelisted.make_lead_from_communication",
	"erpnext.crm.doctype.opportunity.opportunity.make_opportunity_from_communication": "lead_quality.overrides.whitelisted.make_opportunity_from_communication",
	"erpnext.crm.doctype.prospect.prospect.get_opportunities": "lead_quality.overrides.whitelisted.get_opportunities",
	"erpnext.crm.doctype.utils.get_last_interaction": "lead_quality.overrides.whitelisted.get_last_interaction",
	"erpnext.crm.utils.get_open_activities": "lead_quality.overrides.whitelisted.get_open_activities",
	"frappe.core.doctype.data_export.exporter.export_data": "lead_quality.overrides.exports.export_data",
	"frappe.core.doctype.data_import.data_import.download_template": "lead_quality.overrides.exports.download_template",
	"frappe.desk.doctype.tag.tag.add_tag": "lead_quality.overrides.whitelisted.add_tag",
	"frappe.desk.doctype.tag.tag.add_tags": "lead_quality.overrides.whitelisted.add_tags",
	"frappe.desk.doctype.tag.tag.get_documents_for_tag": "lead_quality.overrides.whitelisted.get_documents_for_tag",
	"frappe.desk.doctype.tag.tag.get_tagged_docs": "lead_quality.overrides.whitelisted.get_tagged_docs",
	"frappe.desk.doctype.tag.tag.remove_tag": "lead_quality.overrides.whitelisted.remove_tag",
	"frappe.desk.form.document_follow.follow_document": "lead_quality.overrides.whitelisted.follow_document",
	"frappe.desk.form.document_follow.update_follow": "lead_quality.overrides.whitelisted.update_follow",
	"frappe.desk.like.toggle_like": "lead_quality.overrides.whitelisted.toggle_like",
	"frappe.desk.search.get_link_title": "lead_quality.overrides.whitelisted.get_link_title",
	"frappe.desk.search.search_link": "lead_quality.overrides.whitelisted.search_link",
	"frappe.desk.search.search_widget": "lead_quality.overrides.whitelisted.search_widget",
	"frappe.email.relink": "lead_quality.overrides.communication.relink_by_hand",
	"frappe.templates.includes.comments.comments.add_comment": "lead_quality.overrides.whitelisted.comment_on_page",
	"frappe.utils.global_search.search": "lead_quality.overrides.whitelisted.search",
}
override_doctype_dashboards = {"Lead": "lead_quality.overrides.lead.dashboard"}

# Permissions follow the Lead
# ---------------------------

permission_query_conditions = {
	"Lead Transfer": "lead_quality.permissions.own_transfers_condition",
	"New Customer Goal": "lead_quality.permissions.own_goals_condition",
	"Lead": "lead_quality.permissions.own_leads_condition",
	"Lead Qualification": "lead_quality.permissions.visible_judgements_condition",
	"Lead Qualification Answer": "lead_quality.permissions.visible_answers_condition",
	"Nurture Enrollment": "lead_quality.permissions.visible_leads_condition",
	"Lead Touch": "lead_quality.permissions.visible_leads_condition",
	"Lead Handover": "lead_quality.permissions.visible_leads_condition",
	"Follow Up Clock": "lead_quality.permissions.visible_leads_condition",
	"Follow Up Alert": "lead_quality.permissions.visible_leads_condition",
	"Lead Backlog": "lead_quality.permissions.visible_leads_condition",
	"Lead Holding": "lead_quality.permissions.visible_leads_condition",
	"Lead Stage Log": "lead_quality.permissions.visible_leads_condition",
	"Lead Journey": "lead_quality.permissions.visible_leads_condition",
	"Past Lead Journey": "lead_quality.permissions.visible_leads_condition",
	"Handover Remnant": "lead_quality.permissions.visible_remnants_condition",
	"Contact Opt Out": "lead_quality.permissions.visible_leads_condition",
	"Gate Override": "lead_quality.permissions.visible_leads_condition",
	"Agreement Reader": "lead_quality.permissions.visible_rows_condition",
	"Agreement Reason": "lead_quality.permissions.visible_rows_condition",
	"Follow Up Escalation": "lead_quality.permissions.visible_rows_condition",
	"Follow Up Target": "lead_quality.permissions.visible_rows_condition",
	"Lead Segment Policy": "lead_quality.permissions.visible_rows_condition",
	"Lead Segment Rule": "lead_quality.permissions.visible_rows_condition",
	"Lead Transfer Receiver": "lead_quality.permissions.visible_rows_condition",
	"Nurture Step": "lead_quality.permissions.visible_rows_condition",
	"Qualification Criterion": "lead_quality.permissions.visible_rows_condition",
	"Qualification Rule": "lead_quality.permissions.visible_rows_condition",
	"Working Calendar Date": "lead_quality.permissions.visible_rows_condition",
	"Working Calendar Hours": "lead_quality.permissions.visible_rows_condition",
}
has_permission = {
	"Lead": "lead_quality.permissions.has_lead_permission",
	"Lead Transfer": "lead_quality.permissions.has_transfer_permission",
	"New Customer Goal": "lead_quality.permissions.has_goal_permission",
	"Lead Qualification": "lead_quality.permissions.has_permission_of_lead",
	"Nurture Enrollment": "lead_quality.permissions.has_permission_of_lead",
	"Lead Touch": "lead_quality.permissions.has_permission_of_lead",
	"Lead Handover": "lead_quality.permissions.has_permission_of_lead",
	"Follow Up Clock": "lead_quality.permissions.has_permission_of_lead",
	"Follow Up Alert": "lead_quality.permissions.has_permission_of_lead",
	"Lead Backlog": "lead_quality.permissions.has_permission_of_lead",
	"Lead Holding": "lead_quality.permissions.has_permission_of_lead",
	"Lead Stage Log": "lead_quality.permissions.has_permission_of_lead",
	"Lead Journey": "lead_quality.permissions.has_permission_of_lead",
	"Past Lead Journey": "lead_quality.permissions.has_permission_of_lead",
	"Handover Remnant": "lead_quality.permissions.has_permission_of_remnant",
	"Contact Opt Out": "lead_quality.permissions.has_permission_of_lead",
	"Gate Override": "lead_quality.permissions.has_permission_of_lead",
}

# Events
# ------

doc_events = {
	"Lead": {
		"validate": "lead_quality.overrides.lead.validate",
		"before_save": "lead_quality.overrides.lead.before_save",
		"after_insert": "lead_quality.overrides.lead.after_insert",
		"on_update": "lead_quality.overrides.lead.on_update",
		"on_change": "lead_quality.overrides.lead.on_change",
		"before_rename": "lead_quality.overrides.lead.before_rename",
		"after_rename": "lead_quality.overrides.lead.after_rename",
		"on_trash": "lead_quality.overrides.lead.on_trash",
	},
	"Opportunity": {
		"before_insert": "lead_quality.overrides.opportunity.before_insert",
		"validate": "lead_quality.overrides.opportunity.validate",
		"after_insert": "lead_quality.overrides.opportunity.after_insert",
		"on_update": "lead_quality.overrides.opportunity.on_update",
		"on_change": "lead_quality.overrides.opportunity.on_change",
		"after_delete": "lead_quality.overrides.opportunity.after_delete",
	},
	"Quotation": {
		"before_insert": "lead_quality.overrides.selling.before_insert",
		"validate": "lead_quality.overrides.selling.validate",
		"on_update": "lead_quality.overrides.selling.quotation_on_update",
		"on_cancel": "lead_quality.overrides.selling.quotation_on_cancel",
		"after_delete": "lead_quality.overrides.selling.quotation_after_delete",
	},
	"Customer": {
		"before_insert": "lead_quality.overrides.selling.before_insert",
		"validate": "lead_quality.overrides.selling.validate",
		"on_update": "lead_quality.overrides.selling.customer_on_update",
		"after_delete": "lead_quality.overrides.selling.customer_after_delete",
	},
	"Sales Order": {
		"on_submit": "lead_quality.overrides.selling.sales_order_on_submit",
		"on_cancel": "lead_quality.overrides.selling.sales_order_on_cancel",
	},
	"Communication": {
		"validate": "lead_quality.overrides.communication.validate",
		"after_insert": "lead_quality.overrides.communication.after_insert",
		"on_change": "lead_quality.overrides.communication.on_change",
		"on_trash": "lead_quality.overrides.communication.on_trash",
	},
	"Email Unsubscribe": {
		"after_insert": "lead_quality.overrides.unsubscribe.email_unsubscribe_after_insert",
	},
	"Contact": {"on_change": "lead_quality.overrides.unsubscribe.contact_on_change"},
	"Email Group Member": {
		"on_change": "lead_quality.overrides.unsubscribe.email_group_member_on_change",
	},
	"Call Log": {
		"on_update": "lead_quality.overrides.communication.call_log_on_update",
		"on_trash": "lead_quality.overrides.communication.on_trash",
	},
	"Event": {
		"on_update": "lead_quality.overrides.communication.event_on_update",
		"on_trash": "lead_quality.overrides.communication.on_trash",
	},
	"Auto Email Report": {"validate": "lead_quality.overrides.auto_email_report.validate"},
	"User": {"on_update": "lead_quality.overrides.user.on_update"},
	"Employee": {"on_update": "lead_quality.overrides.user.employee_on_update"},
	"Company": {"after_rename": "lead_quality.overrides.setup.company_after_rename"},
	"Holiday List": {"on_update": "lead_quality.overrides.setup.holiday_list_on_update"},
	"Transaction Deletion Record": {
		"on_change": "lead_quality.overrides.deletion.transaction_deletion_on_change"
	},
}
# called as (Lead Qualification, is_decision_new) when a verdict was written in bulk, without its document events
lead_verdict_changed = ["lead_quality.follow_up.reactions.verdict_changed"]
ignore_links_on_delete = [
	"Lead Qualification",
	"Nurture Enrollment",
	"Lead Touch",
	"Lead Handover",
	"Lead Transfer",
	"Follow Up Clock",
	"Follow Up Alert",
	"Lead Backlog",
	"Lead Holding",
	"Lead Stage Log",
	"Lead Journey",
	"Past Lead Journey",
	"Lead Priority Model",
	"Gate Override",
	"Lead Remnant",
	"Handover Remnant",
]

# a Transaction Deletion Record leaves what a company has agreed on, and what past months count
company_data_to_be_ignored = ["Sales Ready Agreement", "Lead Remnant", "Past Lead Journey"]

# Scheduler
# ---------

scheduler_events = {
	"cron": {
		"*/5 * * * *": [
			"lead_quality.follow_up.jobs.read_history",
			"lead_quality.nurture.jobs.wake_snoozed",
			"lead_quality.follow_up.jobs.sweep_clocks",
			"lead_quality.follow_up.jobs.deliver_alerts",
			"lead_quality.qualification.jobs.resume_requalification",
			"lead_quality.handover.jobs.pull_back",
			"lead_quality.handover.jobs.resume_transfers",
		],
	},
	"hourly": ["lead_quality.qualification.jobs.judge_expired"],
	"hourly_long": [
		"lead_quality.nurture.jobs.repair_contacts",
		"lead_quality.qualification.jobs.sort_leads",
		"lead_quality.funnel.jobs.reconcile_stages",
		"lead_quality.follow_up.jobs.finish_merges",
		"lead_quality.follow_up.jobs.end_leads",
		"lead_quality.follow_up.jobs.mend_enrollments",
		"lead_quality.follow_up.replan.replan_changed",
		"lead_quality.qualification.jobs.refresh_priorities",
	],
	"daily_long": [
		"lead_quality.overrides.deletion.forget_missing_leads",
		"lead_quality.funnel.jobs.keep_journeys",
		"lead_quality.funnel.jobs.reconcile_all_stages",
		"lead_quality.funnel.jobs.check_targets",
		"lead_quality.follow_up.attention.raise_unattended",
		"lead_quality.qualification.jobs.learn_priorities",
	],
}
default_log_clearing_doctypes = {"Follow Up Run": 30, "Follow Up Alert": 180}
