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

pytestmark = pytest.mark.heavy

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
    browser.wait(driver, lambda one: one.execute_script(SAVED), "nothing was saved")


def test_a_part_is_marked_by_keyboard_alone(driver, course, address, artefacts):
    browser.size(driver, 1280, 900)
    driver.get(address)
    browser.wait(driver, lambda one: one.execute_script(READY), "the page was not ready")
    browser.picture(driver, artefacts / "mark-1280.png", height=1200)
    assert driver.title != "stolen"
    keys(driver, "g", Keys.ENTER)  # the two blanks, as a group
    saved(driver)
    keys(driver, "1", "3", "c", "say why", Keys.ENTER)
    browser.wait(driver, lambda _: sorted(filter(None, desk_kit.scores(course).values())) == [2], "not written")
    assert [score for score in desk_kit.scores(course).values() if score == 0] == [0, 0]
    keys(driver, Keys.ESCAPE, "?")
    assert driver.execute_script("return document.getElementById('keys').open")
    keys(driver, Keys.ESCAPE, "u")
    browser.wait(driver, lambda _: not any(desk_kit.scores(course).values()), "not taken back")
    keys(driver, Keys.ESCAPE, "/", "comparison")
    assert 0 < driver.execute_script("return document.querySelectorAll('article:not([hidden])').length") < 9


def opened(driver, address):
    driver.get(address)
    browser.wait(driver, lambda one: one.execute_script(READY), "the page was not ready")


def test_one_is_taken_out_of_a_group_and_the_group_is_undone(driver, course, address):
    opened(driver, address)
    keys(driver, *"kkkkkkkkk", *"jj")  # below the two blanks stand three that are alike
    keys(driver, "j", "x", "k", "g", "1", Keys.ENTER)

    def given():
        return sorted(str(desk_kit.scores(course)[student]) for student in ("s02", "s03", "s04"))

    browser.wait(driver, lambda _: given() == ["1.0", "1.0", "None"], "not the group without the one")
    assert driver.execute_script("return document.activeElement.classList.contains('out')"), "it is what comes next"
    keys(driver, "u")
    browser.wait(driver, lambda _: given() == ["None"] * 3, "the group was not taken back")


def test_a_screen_reader_is_told_what_everything_is(driver, address):
    opened(driver, address)
    keys(driver, "g")
    driver.execute_cdp_cmd("Accessibility.enable", {})
    nodes = [one for one in driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"] if not one["ignored"]]
    driver.execute_cdp_cmd("Accessibility.disable", {})

    def has(node, name):
        return next((one["value"].get("value") for one in node.get("properties", []) if one["name"] == name), None)

    reached = [(one["role"]["value"], one.get("name", {}).get("value", "")) for one in nodes if has(one, "focusable")]
    assert {"button", "checkbox", "spinbutton", "searchbox", "article"} <= {role for role, _ in reached}
    nameless = [one for one in nodes if has(one, "focusable") and not one.get("name", {}).get("value", "").strip()]
    assert not [
        driver.execute_cdp_cmd("DOM.describeNode", {"backendNodeId": one["backendDOMNodeId"]}) for one in nameless
    ]
    assert not [role for role, _ in reached if role in {"generic", "none"}]
    assert ("article", "Answer 1 of 9") in reached
    (status,) = [one for one in nodes if one["role"]["value"] == "status"]
    assert has(status, "live") == "polite"
    by_id = {one["nodeId"]: one for one in nodes}
    said = [by_id[child]["name"]["value"] for child in status["childIds"] if child in by_id]
    assert any(text.startswith("marking the whole group") for text in said), said
    (bar,) = [one for one in nodes if one["role"]["value"] == "progressbar"]
    assert bar["name"]["value"] == "Marked"


def test_a_kill_in_the_middle_loses_no_mark(driver, tmp_path, root):
    course, started = desk_kit.marked_course(tmp_path / "course", root, desk_kit.answers(8)), []
    marked = "return document.querySelectorAll('article.marked').length"
    with desk_kit.served(course, started=started) as address:
        opened(driver, address)
        keys(driver, "1", Keys.ENTER)
        saved(driver)
        keys(driver, *("1", Keys.ENTER) * 3)
        started[0].kill()
        started[0].wait()
        keys(driver, "2", Keys.ENTER)
        broken = "const s = document.getElementById('status').textContent; return s.startsWith('Not saved')"
        browser.wait(driver, lambda one: one.execute_script(broken), "the page did not say that it is not saved")
        idle = "return !document.getElementById('left').textContent.includes('saving')"
        browser.wait(driver, lambda one: one.execute_script(idle), "it still tries")
        acknowledged = driver.execute_script(marked)
    kept = {student: points for student, points in desk_kit.scores(course).items() if points is not None}
    assert 1 <= acknowledged <= len(kept) < 8
    with desk_kit.served(course) as address:
        opened(driver, address)
        assert driver.execute_script(marked) == len(kept)
        keys(driver, *("1", Keys.ENTER) * (8 - len(kept)))
        browser.wait(driver, lambda _: None not in desk_kit.scores(course).values(), "not resumed")
    assert kept.items() <= desk_kit.scores(course).items()


@pytest.mark.parametrize("width", [390, 950, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_the_dark(driver, address, artefacts, serious, width, scheme):
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.size(driver, width, 900)
    driver.get(address)
    browser.wait(driver, lambda one: one.execute_script(READY), "the page was not ready")
    browser.picture(driver, artefacts / f"mark-{width}-{scheme}.png", height=2000)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert serious(driver) == []
    assert driver.title != "stolen"
    keys(driver, *"jjjjjj")
    tops = "const top = at => document.querySelector(at).getBoundingClientRect();"
    head, card, task = driver.execute_script(
        f"{tops} return [top('body > header').bottom, top('article.here').top, top('#asked').top]"
    )
    assert card >= head - 1, "the header covers the answer"
    assert width < 700 or task >= head - 1, "the header covers the scheme"
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_nobody_marks_without_the_token(address):
    plain = address.partition("?")[0]
    for url, data in ((f"{plain}/overview", None), (f"{plain}/mark", b"{}")):
        request = urllib.request.Request(url, data=data)
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:
            assert "/login" in answer.url
