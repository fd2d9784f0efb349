"""The incoming message that Frappe is storing as a Communication at this moment."""

import sys
from email.message import Message

from frappe.email.receive import InboundMail


def arriving_message() -> Message | None:
	"""The mail that is being received, with its headers, which Frappe neither stores nor passes to document events.

	It is found in the call stack, in the frame of `InboundMail.process`. None if the Communication is created in another
	way.
	"""
	frame = sys._getframe().f_back
	while frame:
		caller = frame.f_locals.get("self")
		if isinstance(caller, InboundMail):
			return caller.mail
		frame = frame.f_back
	return None
