"""Which users are persons: Guest and Administrator do not own leads, are not responsible and are not notified."""

NO_PERSONS = ("", "Guest", "Administrator")

# the users who are persons and can log in, as a subquery
ENABLED_PERSONS = f"""(
	select u.name from `tabUser` u where u.enabled = 1 and u.name not in {NO_PERSONS}
)"""


def person(user: str | None) -> str | None:
	"""The user, or None for Guest and Administrator."""
	return None if not user or user in NO_PERSONS else user


def person_sql(user: str) -> str:
	"""`person` as SQL, of another SQL expression, which is computed twice."""
	return f"case when {user} in {NO_PERSONS} then null else {user} end"
