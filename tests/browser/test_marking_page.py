"""The marking page by keyboard alone, in a real browser: on a desk, on a phone, in the dark, and under attack."""

import contextlib
import urllib.error
import urllib.request

import browser
import desk_kit
import pytest
from page_kit import ATTACKS
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow

READY = "return document.body.dataset.ready === 'yes'"
SAVED = "return document.getElementById('status').textContent.startsWith('saved')"


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    texts = [*desk_kit.answers(8), "\n\n".join(ATTACKS)]
    return desk_kit.marked_course(tmp_path_factory.mktemp("page") / "course", root, texts)


@pytest.fixture(scope="module")
def address(course):
    with desk_kit.served(course, "--as", "mia") as found:
        yield found


def keys(driver, *pressed):
    ActionChains(driver).send_keys(*pressed).perform()


def saved(driver):
    browser.wait(driver, lambda one: one.execute_script(SAVED), 30, "nothing was saved")


def test_a_part_is_marked_by_keyboard_alone(driver, course, address, artefacts):
    browser.size(driver, 1280, 900)
    driver.get(address)
    browser.wait(driver, lambda one: one.execute_script(READY), 60, "the page was not ready")
    browser.picture(driver, artefacts / "mark-1280.png", height=1200)
    assert driver.title != "stolen"
    keys(driver, "g", Keys.ENTER)  # the two blanks, as a group
    saved(driver)
    keys(driver, "1", "3", "c", "say why", Keys.ENTER)
    browser.wait(driver, lambda _: sorted(filter(None, desk_kit.scores(course).values())) == [2], 30, "not written")
    assert [score for score in desk_kit.scores(course).values() if score == 0] == [0, 0]
    keys(driver, Keys.ESCAPE, "?")
    assert driver.execute_script("return document.getElementById('keys').open")
    keys(driver, Keys.ESCAPE, "u")
    browser.wait(driver, lambda _: not any(desk_kit.scores(course).values()), 30, "not taken back")
    keys(driver, Keys.ESCAPE, "/", "comparison")
    assert 0 < driver.execute_script("return document.querySelectorAll('article:not([hidden])').length") < 9


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_the_dark(driver, address, artefacts, width, scheme):
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.size(driver, width, 900)
    driver.get(address)
    browser.wait(driver, lambda one: one.execute_script(READY), 60, "the page was not ready")
    browser.picture(driver, artefacts / f"mark-{width}-{scheme}.png", height=2000)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.title != "stolen"
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_nobody_marks_without_the_token(address):
    plain = address.partition("?")[0]
    for url, data in ((f"{plain}/overview", None), (f"{plain}/mark", b"{}")):
        request = urllib.request.Request(url, data=data)
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:
            assert "/login" in answer.url
