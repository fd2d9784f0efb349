"""Who overrides the gate for leads that are not sales ready, why, and what became of these leads."""

from collections import Counter
from functools import cached_property

from frappe import _

from lead_quality.base import query
from lead_quality.base.queries import Where
from lead_quality.base.report import Report, bars, column, count_column, user_column
from lead_quality.base.routes import days_filter, list_route


class GateOverrides(Report):
	"""One row per user and reason.

	:param filters: `from_date`, `to_date` (of the override), `user`.
	"""

	name = "Gate Overrides"
	months = 12

	def columns(self) -> list[dict]:
		return [
			user_column("user", _("User")),
			column("reason", _("Reason"), "Link", 230, options="Lead Outcome Reason"),
			count_column("overrides", _("Overrides")),
			count_column("used", _("Used")),
			count_column("sales", _("Became a Sale"), 130),
			count_column("disqualified", _("Disqualified Since"), 150),
			column("last_on", _("Last One On"), "Datetime", 170),
		]

	@cached_property
	def overrides(self) -> list:
		"""Every override of the period that the user's list of Gate Overrides shows.

		Users who see all leads also see overrides for deleted leads.
		"""
		where = Where(self.user)
		where.visible("Gate Override")
		# the list also shows shared documents; a report on leads is limited to visible leads
		where.visible("Lead", "`tabLead`.name is not null and ({})")
		where.within("`tabGate Override`.overridden_at", self.filters.from_date, self.filters.to_date)
		where.equal("`tabGate Override`.overridden_by", self.filters.user)
		return where.select(
			"""
			select
				`tabGate Override`.name,
				`tabGate Override`.overridden_by as user,
				`tabGate Override`.reason,
				`tabGate Override`.overridden_at,
				`tabGate Override`.reference_name,
				coalesce(`tabLead`.lq_stage, gone.lq_stage) as stage,
				coalesce(`tabLead`.lq_verdict, gone.lq_verdict) as verdict,
				`tabUser`.full_name
			from `tabGate Override`
			left join `tabLead` on `tabLead`.name = `tabGate Override`.lead
			left join `tabLead Remnant` gone on gone.name = `tabGate Override`.lead
			left join `tabUser` on `tabUser`.name = `tabGate Override`.overridden_by
			where {where}
			order by `tabGate Override`.overridden_at, `tabGate Override`.name
			"""
		)

	def rows(self) -> list[dict]:
		"""One row per user and reason, the user with most overrides first.

		Counts overrides: those used by an Opportunity, those of leads that are a sale now, and those of leads that are
		disqualified now. `links` maps each count to the list of these overrides.
		"""
		groups: dict[tuple, list] = {}
		for override in self.overrides:
			groups.setdefault((override.user, override.reason), []).append(override)
		of_user = Counter(override.user for override in self.overrides)
		rows = []
		for (user, reason), group in groups.items():
			sales = [override.name for override in group if override.stage == "sale"]
			disqualified = [override.name for override in group if override.verdict == "Disqualified"]
			same = {
				"overridden_by": user,
				"reason": reason,
				"overridden_at": days_filter(self.filters.from_date, self.filters.to_date),
			}
			rows.append(
				{
					"user": user,
					"reason": reason,
					"overrides": len(group),
					"used": sum(bool(override.reference_name) for override in group),
					"sales": len(sales),
					"disqualified": len(disqualified),
					"last_on": group[-1].overridden_at,
					"links": {
						"overrides": list_route("Gate Override", **same),
						"used": list_route("Gate Override", **same, reference_name=["is", "set"]),
						# a list cannot be filtered by a field of the lead
						"sales": list_route("Gate Override", name=query.among(sales)),
						"disqualified": list_route("Gate Override", name=query.among(disqualified)),
					},
				}
			)
		return sorted(
			rows,
			key=lambda row: (-of_user[row["user"]], row["user"] or "", -row["overrides"], row["reason"]),
		)

	def chart(self, rows: list[dict]) -> dict | None:
		"""Overrides by user, and how many of them belong to a lead that is a sale now."""
		if not self.overrides:
			return None
		names = {override.user: override.full_name or override.user for override in self.overrides}
		given = Counter(override.user for override in self.overrides)
		sales = Counter(override.user for override in self.overrides if override.stage == "sale")
		users = [user for user, _count in given.most_common()]
		return bars(
			[names[user] for user in users],
			{
				_("Overrides"): [given[user] for user in users],
				_("Became a Sale"): [sales[user] for user in users],
			},
			["#d1242f", "#1a7f37"],
		)


execute = GateOverrides.execute
