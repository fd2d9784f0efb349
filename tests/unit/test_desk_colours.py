"""What the desk writes in a colour of ours can be read: WCAG 2.2, 1.4.3, asks for 4.5 : 1, on white and in the dark theme."""

import json
import re
from pathlib import Path

import pytest

import lead_quality

PACKAGE = Path(lead_quality.__file__).parent
CARDS = sorted((PACKAGE / "lead_quality" / "number_card").glob("*/*.json"))
# what a card lies on in Frappe's dark theme, as it is and while the pointer is on it
DARK = ("#171717", "#1c1c1c", "#232323")
IN_THE_DARK = re.compile(r'\[style\*="(#\w{6})"\] \{\s*color: (#\w{6}) !important;')


def luminance(colour: str) -> float:
	def linear(part: float) -> float:
		return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

	red, green, blue = (linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
	dark, light = sorted((luminance(one), luminance(other)))
	return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_the_figure_on_a_card_can_be_read(path):
	colour = json.loads(path.read_text())["color"]
	in_the_dark = dict(IN_THE_DARK.findall((PACKAGE / "public/css/lead_quality.bundle.css").read_text()))

	assert not colour or contrast(colour, "#ffffff") >= 4.5
	assert not colour or all(contrast(in_the_dark[colour], ground) >= 4.5 for ground in DARK)


def test_the_measure_is_that_of_wcag():
	assert contrast("#000000", "#ffffff") == pytest.approx(21)
	assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
