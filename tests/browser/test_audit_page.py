"""The page of an audit on paper: what a screen scrolls or folds has to stand there."""

import pytest
from playwright.sync_api import Page

from lead_quality.audit import sample
from lead_quality.audit.page import page as page_of
from tests.unit.audit_files import run

# what is left between the margins of the page, in pixels of 1/96 inch
PAPERS = {"A4": 688, "Letter": 710}
CUT_OFF = """() => [...document.querySelectorAll('th, td, li, p')]
	.filter((one) => one.getClientRects().length === 0 || one.getBoundingClientRect().right > innerWidth + 1)
	.map((one) => one.textContent)"""


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> str:
	return page_of(run(sample.write(tmp_path_factory.mktemp("sample"), leads=1_500)).report)


@pytest.mark.parametrize("paper", PAPERS)
def test_on_paper_every_column_and_what_was_recognised_stands(paper, html, page: Page):
	page.set_viewport_size({"width": PAPERS[paper], "height": 1_000})
	page.emulate_media(media="print")
	page.set_content(html)

	assert page.evaluate(CUT_OFF) == []
	assert "Created On → creation" in page.inner_text("#data")
