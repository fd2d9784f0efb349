"""Number cards that users have made of ours name the functions by where they stood before."""

from lead_quality.base import query


def execute():
	query.run(
		"""
		update `tabNumber Card` set method = replace(method, 'lead_quality.cards.', 'lead_quality.desk.cards.')
		where method like 'lead_quality.cards.%'
		"""
	)
