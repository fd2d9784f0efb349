"""The incoming message that Frappe is storing as a Communication at this moment."""

import sys
from email.message import Message

from frappe.email.receive import InboundMail


def arriving_message() -> Message | None:
	"""The mail that is being received: with its headers, of which Frappe keeps none, and hands none to an event.

	It is with who has called us; so it is looked for there, up to `InboundMail.process`. None where a Communication is
	made in another way.
	"""
	frame = sys._getframe().f_back
	while frame:
		caller = frame.f_locals.get("self")
		if isinstance(caller, InboundMail):
			return caller.mail
		frame = frame.f_back
	return None
