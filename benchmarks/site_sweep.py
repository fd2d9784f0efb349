"""What the sweep of the clocks costs at 1,000,000 running clocks: with nothing due, and with 10,000 due.

`./dev bench` runs it, and does nothing with it before the app is installed. To run it again, in the bench's folder
`sites`:

    LEAD_QUALITY_SITE=lead-quality-bench.localhost ../env/bin/python ../apps/lead_quality/benchmarks/site_sweep.py

The scheduler runs the sweep every five minutes, mostly with nothing due. Where much is due, after an outage say,
it does the first 500 clocks itself and queues the rest; the queue is left out here, and so is the telling of
anybody, as the site has no users. Each run is a request of its own; medians of wall-clock time on this machine.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import frappe
from on_site import app_is_installed, cost_of, describe, fill, median, request

RUNS = 50
DUE = 10_000
FIRST_DUE = datetime(2090, 1, 1)


def main() -> None:
	with request():
		if not app_is_installed():
			return
		fill()
		print(describe("Follow Up Clock"))
	from lead_quality.follow_up import jobs, service

	long_ago, now = datetime(2024, 6, 1), FIRST_DUE + timedelta(seconds=DUE + 1)
	report("sweep, nothing due", lambda: jobs.sweep_clocks(long_ago))
	with request():
		due = service.overdue_clocks(now, jobs.MOST_CLOCKS)
	report(f"find {len(due):,} due", lambda: service.overdue_clocks(now, jobs.MOST_CLOCKS))
	chunk = due[: jobs.CHUNK]
	report(f"do {len(chunk)} due", lambda: jobs.sweep_chunk(chunk, now), lambda: run_again(chunk), RUNS // 10)


def report(
	what: str, do: Callable[[], object], undo: Callable[[], object] | None = None, runs: int = RUNS
) -> None:
	costs = []
	for _ in range(runs):
		with request():
			costs.append(cost_of(do))
			if undo:
				undo()
	print(f"{what:26} {median(costs)}")


def run_again(clocks: list[str]) -> None:
	frappe.db.set_value(
		"Follow Up Clock", {"name": ["in", clocks]}, {"status": "Running", "owner_at_breach": None}
	)
	frappe.db.commit()


if __name__ == "__main__":
	main()
