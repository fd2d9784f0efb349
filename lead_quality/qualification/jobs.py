"""What the scheduler runs for segments and judgements."""

from datetime import datetime, timedelta
from functools import partial

from frappe.utils import now_datetime

from lead_quality.base import query
from lead_quality.base.runs import JobRun
from lead_quality.funnel import journey
from lead_quality.qualification import learning, priority, rates, requalify, segments, service

MOST_LEADS = 20_000
CHUNK = 500
# what has happened may have been committed a while after it
LONGEST_TRANSACTION = timedelta(hours=1)


def sort_leads(now: datetime | None = None) -> dict:
	"""Give leads that came in without document events (bulk inserts, old data) their segment, and judge them by their
	own data.

	Takes at most 20,000 leads a run; what is left, the next run takes.

	:param now: naive instant in the site's zone.
	:returns: counts found (in chunks of five hundred), done (in leads), failed.
	"""
	leads = segments.unsorted_leads(MOST_LEADS)
	chunks = [leads[start : start + CHUNK] for start in range(0, len(leads), CHUNK)]
	run = JobRun("sort_leads", now)
	return run.each(chunks, requalify.judge_chunk, commit_every=1).finish()


def judge_expired(now: datetime | None = None, leads: list[str] | None = None) -> dict:
	"""Judge the leads again whose verdict time may have changed: an answer has expired, a date has passed, or the
	day has come until which a lead was to rest. Exchange rates that their answers lack are asked for first, while
	nothing is locked.

	Whoever asks for a verdict that matters, as the gate does, judges at that moment; this brings lists up to date.

	:param now: naive instant in the site's zone.
	:param leads: only these, if exchange rates of theirs were missing.
	:returns: counts found, done, failed.
	"""
	now = now or now_datetime()
	names = service.expired(now, MOST_LEADS) if leads is None else service.judgements_of(leads)
	fetched = rates.fetch(names)
	if leads is not None and not fetched:
		return {"found": 0, "done": 0, "failed": 0}
	judge_again = partial(service.judge_again, rates=fetched)
	return JobRun("judge_expired", now).each(names, judge_again, commit_every=1).finish()


def resume_requalification(now: datetime | None = None) -> dict:
	"""Go on with a run over all leads that was interrupted.

	:returns: counts found and done, of parts that were not done and are with the workers again, and failed (none).
	"""
	return requalify.job().resume()


def learn_priorities(now: datetime | None = None) -> dict:
	"""Learn from the past leads of each company which of them buy, and give all leads their priority by that, and their
	place in the queues.

	:param now: naive instant in the site's zone.
	:returns: counts found (companies, and chunks of leads), done (models, priorities that have changed, and leads that
	    have changed their place), failed.
	"""
	run = JobRun("learn_priorities", now)
	run.each(learning.companies(), learning.learn_company, commit_every=1)
	run.each(journey.chunks(), priority.score_some, commit_every=1)
	return _place(run).finish()


def refresh_priorities(now: datetime | None = None) -> dict:
	"""Give those leads their priority again with which something has happened without a save (the first run takes all), and
	those their place in the queues whose priority has changed, with a save or without.

	:param now: naive instant in the site's zone.
	:returns: counts found (chunks of leads), done (priorities that have changed, and leads that have changed their place),
	    failed.
	"""
	run = JobRun("refresh_priorities", now)
	since = _since(run.name)
	changed = journey.written_since(since) if since else None
	run.each(journey.chunks(changed), priority.score_some, commit_every=1)
	return _place(run).finish()


def _place(run: JobRun) -> JobRun:
	return run.each(journey.chunks(priority.leads_behind()), priority.place_some, commit_every=1)


def _since(run: str) -> datetime | None:
	"""From when on what has happened may not be in a priority; None before the first run."""
	last = query.run(
		"""
		select max(started_at) from `tabFollow Up Run`
		where job in ('refresh_priorities', 'learn_priorities') and status = 'Completed' and name != %s
		""",
		(run,),
	)[0][0]
	return last and last - LONGEST_TRANSACTION
