"""Which lead first: how well the company's own past sales would have put its newer leads in order, by the app's own model
(`engine.learning`)."""

from collections.abc import Sequence

from lead_quality.audit import figures
from lead_quality.audit.figures import Facts, Known, Options
from lead_quality.audit.report import BARS, COUNT, NUMBER, SHARE, TEXT, Cell, Column, Section, shown
from lead_quality.engine import learning
from lead_quality.engine.learning import BY_CHANCE, LEAST_WON, TOO_FEW, TOO_SHORT, Backtest, Case, Learned
from lead_quality.engine.priority import MISSING, Model, completeness

MOST_LEADS = 20_000  # that a model learns from and is judged by; of more, every so many
LINES_SHOWN = 12
FREE_MAIL = frozenset(
	"""gmail.com googlemail.com yahoo.com yahoo.de yahoo.fr yahoo.co.uk yahoo.co.in ymail.com hotmail.com hotmail.de hotmail.fr
	hotmail.co.uk outlook.com outlook.de live.com msn.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch gmx.com
	web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com proton.me protonmail.com qq.com 163.com 126.com sina.com
	orange.fr free.fr laposte.net wanadoo.fr libero.it virgilio.it rediffmail.com uol.com.br bol.com.br terra.com.br""".split()
)
_FIELDS = {
	"source": "Source",
	"kind_of_mail": "E-mail address",
	"has_phone": "Phone",
	"filled": "Filled in",
	"weekday": "Came in on",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WHY = {
	TOO_FEW: "There are {won:,} sales of leads with a known outcome, and it takes {least}: nothing is learned of fewer.",
	TOO_SHORT: "The sales lie too close together to learn from the older and be judged by the newer ones.",
	BY_CHANCE: "What could be learned puts leads in no better order than chance does: go by rules instead.",
}


def learned(facts: Sequence[Facts], known: Known, options: Options) -> Learned | None:
	"""What the company's leads teach; None, if their sales are not known with their dates."""
	if not known.orders:
		return None
	step = -(-len(facts) // MOST_LEADS) or 1
	return learning.learn([_case(one) for one in facts[::step]], options.now)


def _case(one: Facts) -> Case:
	"""A lead as it came in. Who somebody is and what came later says nothing here."""
	journey = one.journey
	sold = one.entered.get("sale")
	told = {
		"source": None if figures.has_unknown_source(journey) else journey.source.strip(),
		"kind_of_mail": _kind_of_mail(journey.email),
		"has_phone": "yes" if journey.phones.strip("|") else MISSING,
		"filled": float(
			completeness([journey.title, journey.email, journey.phones.strip("|"), journey.source])
		),
		"weekday": _DAYS[journey.entered_at.weekday()],
	}
	return Case(
		journey.entered_at,
		"",
		((0.0, told),),
		(sold - journey.entered_at).total_seconds() / figures.DAY if sold else None,
	)


def _kind_of_mail(address: str) -> str:
	host = address.strip().lower().rpartition("@")[2]
	return MISSING if not host else "free mail" if host in FREE_MAIL else "own domain"


def order(found: Learned | None) -> Section:
	"""What would have come of calling those first that past sales point to."""
	rows: list[list[Cell]] = []
	backtest = found.backtest if found else None
	if backtest:
		for key, label in (
			("model", "By past sales"),
			("naive", "By each field alone"),
			("newest", "The newest first"),
		):
			got = backtest.orders[key]
			rows.append([label, got.first_tenth, got.first_fifth, got.auc])
		rows.append(["In any order", 0.1, 0.2, 0.5])
	return Section(
		"ranking",
		"Which lead first",
		_finding(found, backtest),
		[
			Column("order", "Called in this order", TEXT),
			Column("first_tenth", "Sales in the first tenth", SHARE),
			Column("first_fifth", "Sales in the first fifth", SHARE),
			Column("auc", "AUC", SHARE),
		],
		rows,
		_how(found, backtest),
		"Leads are taken as they are today: a source or a number that was filled in later was not known when they came in. Whom "
		"people chose to work is part of who bought."
		if found
		else "No Sales Orders with their Quotations or Customers: when leads were sold is not known.",
		BARS,
		("first_fifth",),
	)


def _finding(found: Learned | None, backtest: Backtest | None) -> str:
	if found is None:
		return "Nobody can tell without Sales Orders."
	if found.why:
		return _WHY[found.why].format(won=found.won, least=LEAST_WON)
	assert backtest
	share = shown(backtest.orders["model"].first_fifth, SHARE)
	newest = shown(backtest.orders["newest"].first_fifth, SHARE)
	return (
		f"Calling that fifth first which past sales point to would have reached {share} of the sales, the newest fifth "
		f"{newest}; n = {backtest.won:,} sales of {backtest.leads:,} leads."
	)


def _how(found: Learned | None, backtest: Backtest | None) -> str:
	said = (
		"The app's own model, forward in time: learned from the older seven tenths of the leads, judged by the newer ones, by "
		"source, kind of e-mail address, phone, what is filled in and weekday of entry; never by who somebody is, or by what came "
		"later. A sale counts within the time in which nine of ten come."
	)
	if backtest and found and found.model:
		said += (
			f" Learned from {backtest.learned_from:,} leads with {backtest.learned_won:,} sales, within "
			f"{found.model.horizons.get('', 0)} days. AUC: the chance that a lead that bought stands before one that did not."
		)
	return said + f" Of more than {MOST_LEADS:,} leads, every so many are taken."


def weights(model: Model) -> Section:
	"""What raises and what lowers the chance of a sale, the strongest first."""
	lines = sorted(model.lines, key=lambda line: -abs(line.weight))[:LINES_SHOWN]
	rows: list[list[Cell]] = [
		[
			_FIELDS.get(line.field, line.field),
			line.value or "nothing",
			line.leads,
			line.won,
			line.won / line.leads if line.leads else None,
			line.won / line.leads / model.prior if line.leads and model.prior else None,
		]
		for line in lines
	]
	return Section(
		"ranking_weights",
		"What the sales have in common",
		f"Of all leads with a known outcome {shown(model.prior, SHARE)} bought in time.",
		[
			Column("field", "Field", TEXT),
			Column("value", "Value", TEXT),
			Column("leads", "Leads", COUNT),
			Column("won", "Sold in time", COUNT),
			Column("share", "Share", SHARE),
			Column("factor", "Times the average", NUMBER),
		],
		rows,
		"The values that weigh most in the model, either way. The app shows the whole table, and three reasons on each lead.",
	)
