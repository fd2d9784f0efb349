"""Document events of Email Unsubscribe, Contact and Email Group Member: people who want no mail."""

from lead_quality.base.listeners import listener
from lead_quality.nurture import opt_out


@listener
def email_unsubscribe_after_insert(unsubscribe, method=None):
	opt_out.hear_unsubscribe(unsubscribe)


@listener(concerns=lambda contact: contact.unsubscribed)
def contact_on_change(contact, method=None):
	if contact.has_value_changed("unsubscribed"):
		opt_out.hear_addresses({contact.email_id, *(row.email_id for row in contact.email_ids)})


@listener(concerns=lambda member: member.unsubscribed)
def email_group_member_on_change(member, method=None):
	if member.has_value_changed("unsubscribed"):
		opt_out.hear_addresses([member.email])
