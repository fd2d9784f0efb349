"""What automatic answers say of when a person is back."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_quality.engine.out_of_office import back_on, has_left

pytestmark = pytest.mark.unit

WRITTEN = date(2026, 8, 28)
EIGHTH = date(2026, 9, 8)
MONTHS = {
	"september": 9,
	"sep": 9,
	"septembre": 9,
	"septiembre": 9,
	"settembre": 9,
	"setembro": 9,
	"września": 9,
	"сентября": 9,
	"august": 8,
	"august.": 8,
	"january": 1,
	"dezember": 12,
}


@pytest.mark.parametrize(
	"text",
	[
		"I am out of the office and will be back on 8 September.",
		"I will be back on September 8th, 2026. For urgent matters call 044 555 01 23.",
		"I'm away from 24 August until 7 September and back on 8 September.",
		"Out until 7 September.",
		"I am on leave till the 7th of September, with no access to mail.",
		"Ich bin bis zum 7. September nicht im Büro und ab dem 8. September wieder für Sie da.",
		"Ab dem 08.09.2026 bin ich wieder erreichbar.",
		"Ich bin vom 24.08. bis 07.09.2026 im Urlaub.",
		"Je suis absente, de retour le 8 septembre.",
		"Je suis en congé jusqu'au 7 septembre inclus.",
		"Estaré de vuelta el 8 de septiembre.",
		"Sono in ferie, rientro l'8 settembre 2026.",
		"Estou de férias até 7 de setembro.",
		"Ik ben terug op 08-09-2026.",
		"Jestem na urlopie. Wracam 8 września.",
		"Вернусь 8 сентября.",
		"9月8日に出社します。",
		"I return on 2026-09-08.",
	],
)
def test_the_day_of_return_is_read_in_many_languages(text: str) -> None:
	assert back_on(text, WRITTEN, MONTHS) == EIGHTH


def test_the_month_may_come_first() -> None:
	assert back_on("Back on 9/8.", WRITTEN, MONTHS, month_first=True) == EIGHTH
	assert back_on("Back on 9/8/2026.", date(2026, 8, 1), MONTHS) == date(2026, 8, 9)
	assert back_on("Back on 9/18.", WRITTEN, MONTHS) == date(2026, 9, 18)


def test_a_return_in_the_new_year_is_ahead() -> None:
	assert back_on("Back on 4 January.", date(2026, 12, 20), MONTHS) == date(2027, 1, 4)


@pytest.mark.parametrize(
	"text",
	[
		"I am out of the office.",
		"I was away until 20 August and answer soon.",
		"Please call 12.345 or 044/555 01 23.",
		"I will be back on 8 September 2031.",
		"Back on 45 September.",
		"",
	],
)
def test_without_a_day_ahead_nothing_is_read(text: str) -> None:
	assert back_on(text, WRITTEN, MONTHS) is None


@given(st.text(max_size=300), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_a_return_lies_ahead_whatever_is_written(text: str, written: date) -> None:
	day = back_on(text, written, MONTHS)
	assert day is None or written < day <= written + timedelta(days=201)


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(1, 150))
def test_every_day_is_read_as_it_is_written(written: date, ahead: int) -> None:
	day = written + timedelta(days=ahead)
	assert back_on(f"I am back on {day.isoformat()}.", written, {}) == day
	assert back_on(f"Ich bin ab dem {day:%d.%m.%Y} wieder da.", written, {}) == day


@pytest.mark.parametrize(
	"text",
	[
		"Anna Keller no longer works here.",
		"I am no longer with Kellerbrunn Works.",
		"Ms Keller has left the company.",
		"Frau Keller ist nicht mehr in unserem Unternehmen tätig.",
		"Anna Keller ist nicht mehr für die Kellerbrunn AG tätig.",
		"Anna Keller ne travaille plus chez nous.",
		"Anna Keller a quitté la société.",
		"Anna Keller ya no trabaja en esta empresa.",
		"Anna Keller non lavora più presso la nostra azienda.",
		"Anna Keller werkt niet meer bij ons.",
		"Anna Keller arbetar inte längre här.",
	],
)
def test_who_has_left_is_known(text: str) -> None:
	assert has_left(text)


@pytest.mark.parametrize(
	"text",
	[
		"I have left for the day.",
		"I am out of the office until Monday.",
		"Ich bin heute nicht mehr im Büro.",
		"",
	],
)
def test_who_is_only_away_has_not_left(text: str) -> None:
	assert not has_left(text)
