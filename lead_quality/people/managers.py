"""Who manages whom."""

import frappe

from lead_quality.base import query
from lead_quality.base.notices import is_reachable

# how many people above each other are tried before the last resort is told
HIGHEST = 20


def manager_of(user: str) -> str | None:
	"""The nearest person above a user who can be told, by the tree of Sales Persons, else by Employee.reports_to.

	None if there is nobody above, or nobody but the user.
	"""
	return _nearest(_above_in_sales(user), user) or _nearest(_above_in_company(user), user)


def _nearest(users: list[str], user: str) -> str | None:
	return next((above for above in users if above and above != user and is_reachable(above)), None)


def _above_in_sales(user: str) -> list[str]:
	return query.run(
		"""
		select e.user_id
		from `tabSales Person` own
		join `tabEmployee` self on self.name = own.employee
		join `tabSales Person` above on above.lft < own.lft and above.rgt > own.rgt
		join `tabEmployee` e on e.name = above.employee
		where self.user_id = %s and own.enabled = 1 and above.enabled = 1
		order by above.lft desc, own.name
		""",
		(user,),
		pluck=True,
	)


def _above_in_company(user: str) -> list[str]:
	users: list[str] = []
	# of somebody who has left, the last one counts
	employee = frappe.db.get_value("Employee", {"user_id": user}, "reports_to", order_by="status asc")
	while employee and len(users) < HIGHEST:
		above = frappe.db.get_value("Employee", employee, ["user_id", "reports_to"], as_dict=True)
		if not above:  # deleted past its links
			break
		users.append(above.user_id)
		employee = above.reports_to
	return users
