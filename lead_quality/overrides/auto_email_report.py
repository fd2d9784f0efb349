"""Document events of Auto Email Report."""

from lead_quality.base.listeners import listener
from lead_quality.base.report import keep_reader


@listener
def validate(doc, method=None):
	keep_reader(doc)
