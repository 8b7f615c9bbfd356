"""What a student wrote reaches a page as text and pictures, never as something that runs."""

import re

import pytest
from page_kit import ATTACKS, Page

from autograder.views import prose


def harmless(html):
    page = Page(str(html))
    forbidden = {"script", "iframe", "style", "meta", "link", "form", "input", "object", "embed"}
    assert not forbidden & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert not (attributes.get("href") or "").lower().startswith("javascript")
        if "src" in attributes:
            assert attributes["src"].startswith("data:image/")


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_survives(attack):
    for shown in (
        prose.markdown(attack),
        prose.clean(attack),
        prose.math(attack),
        prose.code(attack),
        prose.said(attack),
        prose.output({"output_type": "stream", "text": attack}, "figure"),
        prose.output({"output_type": "error", "traceback": [attack], "ename": "E", "evalue": ""}, "figure"),
        prose.output({"output_type": "display_data", "data": {"text/html": attack}}, "figure"),
        prose.output({"output_type": "display_data", "data": {"image/png": f'"{attack}'}}, 'f"><b onclick=x>'),
    ):
        harmless(shown)


def test_an_svg_becomes_the_source_of_an_image():
    shown = prose.output({"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=steal()></svg>"}}, "a")
    assert re.match(r'<img src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]+" alt="a">$', str(shown))


def test_tables_and_emphasis_of_a_data_frame_survive():
    html = "<table border=1><thead><tr><th>loss</th></tr></thead><tbody><tr><td>0.06</td></tr></tbody></table>"
    assert "<th>loss</th>" in prose.clean(html)


def test_formulas_become_mathml_inline_and_on_their_own_line():
    html = str(prose.markdown("the *mean* $\\frac{1}{m}$ and\n\n$$\nW_2^\\top \\delta\n$$\n"))
    assert html.count("<math") == 2
    assert "<mfrac>" in html
    assert 'display="block"' in html
    assert "<em>mean</em>" in html


def test_a_table_of_markdown_can_be_scrolled():
    html = prose.markdown("| what | shape |\n|---|---|\n| $X$ | (n, m) |\n")
    assert '<div class="scroll" tabindex="0"><table>' in html
    assert "<math" in html
    assert "&lt;" not in html


def test_a_formula_that_cannot_be_read_is_shown_as_it_was_written():
    assert str(prose.math("\\frac{1}{")) == "<code>\\frac{1}{</code>"


def test_terminal_colours_are_left_out_and_floods_are_cut():
    shown = str(prose.output({"output_type": "stream", "text": "\x1b[31mred\x1b[0m" + "x" * 50_000}, ""))
    assert "\x1b" not in shown
    assert len(shown) < prose.MAX_TEXT + 200
    assert "more characters" in shown


def test_a_placeholder_in_the_students_text_is_no_formula():
    assert "<math" not in prose.markdown("\ue0000\ue001")


def test_a_picture_keeps_its_own_text_and_gets_one_otherwise():
    def alt(metadata):
        display = {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": metadata}
        return re.search('alt="([^"]*)"', str(prose.output(display, "Figure 1")))[1]

    assert alt({"image/png": {"alt": 'a "bent" line'}}) == "a &#34;bent&#34; line"
    assert len(alt({"image/png": {"alt": "x" * 10**6}})) == prose.MAX_ALT
    for about in ({}, {"alt": " "}, {"alt": 3}, "no"):
        assert alt({"image/png": about}) == "Figure 1"
    assert alt({}) == "Figure 1"


def test_a_picture_without_a_text_gets_an_empty_one():
    """Else a screen reader reads out its data."""
    assert (
        str(prose.clean("<img><img src=x title='a'><img alt='b'>")) == '<img alt=""><img alt="" title="a"><img alt="b">'
    )
