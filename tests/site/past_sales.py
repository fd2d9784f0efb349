"""Leads of the past of which some bought, for what learns from them."""

import json
import random
from datetime import datetime, timedelta

import frappe

from lead_quality.base.rows import insert_rows

COMPANY = "Learning Company"
NOW = datetime(2025, 6, 1)
LEADS = 600


def make_past(leads: int = LEADS, seed: int = 1, odds=(("Referral", 0.5), ("Fair", 0.05)), company=COMPANY):
	"""Leads of the past as their journeys and stage logs tell of them, one every half day; no documents."""
	chance = random.Random(seed)
	first = NOW - timedelta(days=leads / 2 + 100)
	journeys, logs = [], []
	for at in range(leads):
		source, share = chance.choice(odds)
		entered = first + timedelta(hours=12 * at)
		name = f"past-{company}-{seed}-{at}"
		sold = entered + timedelta(days=chance.uniform(2, 40)) if chance.random() < share else None
		journeys.append(
			{
				"lead": name,
				"entered_at": entered,
				"source": source,
				"company": company,
				"stage": "target",
				"sale_at": sold,
			}
		)
		said = {"industry": chance.choice(["Steel", "Wood"]), "filled": chance.randrange(8)}
		logs.append(
			{
				"lead": name,
				"stage": "target",
				"entered_at": entered,
				"source": source,
				"facts": json.dumps(said),
			}
		)
	made = insert_rows("Lead Journey", journeys, first)
	for row in made:
		frappe.db.set_value("Lead Journey", row.name, "name", row["lead"], update_modified=False)
	insert_rows("Lead Stage Log", logs, first)
	return [row["lead"] for row in journeys]
