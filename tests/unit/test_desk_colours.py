"""What the desk writes in a colour of ours can be read: WCAG 2.2, 1.4.3, asks for 4.5 : 1 on white."""

import json
from pathlib import Path

import pytest

import lead_quality

MODULE = Path(lead_quality.__file__).parent / "lead_quality"
CARDS = sorted((MODULE / "number_card").glob("*/*.json"))


def contrast_on_white(colour: str) -> float:
	def linear(part: float) -> float:
		return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

	red, green, blue = (linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
	return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_the_figure_on_a_card_can_be_read(path):
	colour = json.loads(path.read_text())["color"]

	assert not colour or contrast_on_white(colour) >= 4.5


def test_the_measure_is_that_of_wcag():
	assert contrast_on_white("#000000") == pytest.approx(21)
	assert contrast_on_white("#767676") == pytest.approx(4.54, abs=0.01)
