"""Our own pages in a real browser: on a phone, on paper, in the dark, and under attack."""

import browser
import pytest
from nbformat.v4 import new_code_cell, new_output
from page_kit import ATTACKS, EXPECTED, marks, notebook, wrong_line
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from autograder.views.feedback import feedback_page
from autograder.views.report import class_report

pytestmark = pytest.mark.heavy

WIDE_PICTURE = "<svg xmlns='http://www.w3.org/2000/svg' width='3000' height='50'/>"
STUCK = """
return [...document.querySelectorAll('body *')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
  .filter(e => e.tabIndex < 0).map(e => e.outerHTML.slice(0, 80))
"""
"""What can be scrolled sideways and not be reached by keyboard."""

WRONG = wrong_line("dW1", EXPECTED + 1)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A feedback page and a class report, full of attacks and of things that are too wide."""
    folder = tmp_path_factory.mktemp("pages")
    loud = notebook(*ATTACKS)
    wide = new_code_cell("x = " + "1 + " * 100 + "1")
    table = "<table><tr>" + "<td>0.123456789</td>" * 40 + "</tr></table>"
    wide.outputs = [
        new_output("stream", name="stdout", text="y" * 600),
        new_output("display_data", data={"text/html": table}),
        new_output("display_data", data={"image/svg+xml": WIDE_PICTURE}),
    ]
    loud.cells.append(wide)
    one = marks("carla", dW1=wrong_line("dW1", EXPECTED + 1, message=ATTACKS[0]), remarks=ATTACKS)
    (folder / "feedback.html").write_text(feedback_page(loud, one))
    students = [marks(name, dW1=WRONG) for name in ("ada", "blaise", *ATTACKS)]
    (folder / "report.html").write_text(class_report([*students, marks("zoe"), marks("yan", error=ATTACKS[1])]))
    return folder


@pytest.fixture(params=["feedback", "report"])
def page(request, driver, pages):
    """One of the pages, opened on a desktop."""
    browser.size(driver, 1200, 900)
    driver.get("about:blank")
    browser.requested(driver)
    driver.get((pages / f"{request.param}.html").as_uri())
    return request.param


def test_no_script_runs_and_nothing_is_loaded(driver, page):
    assert driver.title != "stolen"
    assert [url for url in browser.requested(driver) if not url.startswith(("file:", "data:"))] == []
    assert driver.execute_script("return document.scripts.length") == 0
    assert driver.execute_script("return getComputedStyle(document.body).display") == "block"


def test_the_pages_own_policy_stops_a_script_even_when_cleaning_fails(driver, page, pages, tmp_path):
    html = (pages / f"{page}.html").read_text()
    planted = "<script>document.title = 'stolen'</script><img src='http://127.0.0.1:9/' onerror='document.title=1'>"
    (tmp_path / "page.html").write_text(html.replace("</main>", planted + "</main>"))
    browser.requested(driver)
    driver.get((tmp_path / "page.html").as_uri())
    assert driver.execute_script("return document.scripts.length") == 1
    assert driver.title not in ("stolen", "1")


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_the_page_is_never_wider_than_the_screen(driver, page, width, artefacts):
    browser.size(driver, width, 800)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    browser.picture(driver, artefacts / f"{page}-{width}.png", height=3000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(driver, page, scheme, serious):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert serious(driver) == []
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_keyboard_reaches_the_content_and_every_link(driver, page):
    body = driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Skip to the content"
    reached = 0
    for _ in range(12):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        place = driver.switch_to.active_element
        if place.tag_name == "body":  # beyond the last one
            break
        assert driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", place) != "none"
        reached += 1
    assert reached >= 3


def test_what_can_be_scrolled_sideways_can_be_reached_by_keyboard(driver, page):
    browser.size(driver, 390, 800)
    stuck = driver.execute_script(STUCK)
    assert stuck == []


def test_it_prints(driver, page, artefacts):
    browser.printed(driver, artefacts / f"{page}.pdf")
    assert (artefacts / f"{page}.pdf").read_bytes().startswith(b"%PDF")


def test_formulas_are_drawn(driver, pages):
    driver.get((pages / "feedback.html").as_uri())
    size = driver.execute_script("const b = document.querySelector('mfrac').getBoundingClientRect(); return b.height")
    assert size > 15
