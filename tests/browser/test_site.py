"""The site in a real browser, with Python inside: a named mistake in practice, and one in a gradient.

The bundle is made once from what ``make site-parts`` has put into ``.npm/``. It lies below a path, as on GitHub Pages.
"""

import json
import re
from pathlib import Path

import browser
import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from autograder.site import documents, make
from autograder.site.make import example

pytestmark = pytest.mark.heavy

CODE = """import numpy as np

def gradients(X, Y, W1, b1, W2, b2):
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    dZ2 = (A2 - Y) / X.shape[1]
    back = W2.T @ dZ2
    dZ1 = back * A1 * (1 - A1)
    return dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True), dZ2 @ A1.T, dZ2.sum(axis=1, keepdims=True)
"""
"""The slope of the sigmoid with tanh, in line 8."""


@pytest.fixture(scope="module")
def address(tmp_path_factory, root, parts):
    """The site behind a server of ours, and the paths that it was asked for."""
    served = tmp_path_factory.mktemp("served")
    (served / "some").mkdir()
    make.make_site(root, served / "some" / "course", parts)
    with browser.served(served) as (server, asked):
        yield f"{server}some/course/", asked


def text(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css).text


def everywhere(driver, serious, artefacts, name):
    """The page as it is now: it fits a phone and a desk, in light and dark, and axe finds nothing serious."""
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        for width in (390, 1280):
            browser.size(driver, width, 900)
            assert driver.execute_script("return document.documentElement.scrollWidth") <= width, name
            if (width, scheme) in ((390, "light"), (1280, "dark")):
                assert serious(driver) == [], (name, scheme, width)
            browser.picture(driver, artefacts / f"site-{name}-{width}-{scheme}.png")


def wait(driver, until, what=""):
    """Wait for what Python in the page does, or fail at once with the page's words where it could not be started."""

    def now(driver):
        for line in driver.find_elements(By.CSS_SELECTOR, "#python.bad"):
            pytest.fail(line.text)
        return until(driver)

    return browser.wait(driver, now, what)


def type_in(driver, name, value):
    box = driver.find_element(By.ID, f"value-{name}")
    box.clear()
    box.send_keys(value)


def test_practice_names_a_mistake_follows_it_through_and_keeps_it(
    driver, address, root, monkeypatch, serious, artefacts
):
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    import practice

    task = practice.worked_calculation(3)
    no_bias = (task.given["W1"] @ task.given["x"]).ravel()
    driver.get(f"{address[0]}practice.html#worked_calculation/3")
    wait(driver, lambda d: d.find_elements(By.ID, "value-z1"), "no task was shown")
    assert text(driver, "#title") == "Worked calculation, seed 3"
    type_in(driver, "z1", json.dumps(no_bias.tolist()))
    wait(driver, lambda _: "The bias is left out." in text(driver, "#said-z1"))
    type_in(driver, "a1", json.dumps((1 / (1 + np.exp(-no_bias))).tolist()))
    wait(driver, lambda _: "It follows rightly from your own z1" in text(driver, "#said-a1"))
    type_in(driver, "z1", json.dumps(task._truth["z1"].ravel().tolist()))
    wait(driver, lambda _: "Right." in text(driver, "#said-z1"))
    assert text(driver, "#score") == "1 of 15 values are right."
    driver.find_element(By.ID, "reveal").click()
    wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, ".shown"))
    assert text(driver, ".shown h3") == "a1"
    everywhere(driver, serious, artefacts, "practice-task")
    kept = json.loads(driver.execute_script("return localStorage.getItem('backpropagation-practice')"))
    assert kept["worked_calculation/3"]["right"] == ["z1"]
    assert kept["worked_calculation/3"]["shown"] == ["a1"]
    driver.execute_script("location.hash = '#small_network/2'")
    wait(driver, lambda d: text(d, "#title") == "Small network, seed 2")
    driver.execute_script("location.hash = '#worked_calculation/3'")
    wait(driver, lambda d: d.find_elements(By.ID, "said-z1") and "Right." in text(d, "#said-z1"))
    assert text(driver, ".shown h3") == "a1"
    assert [path for path in address[1] if not path.startswith("/some/course/")] == []


def test_progress_is_saved_to_a_file_and_loaded_from_it(driver, address, tmp_path):
    driver.get(f"{address[0]}practice.html")
    mine = {"worked_calculation/77": {"typed": {"z1": "[1, 2]"}, "right": ["z1"], "of": 15, "shown": []}}
    (tmp_path / "practice.json").write_text(json.dumps(mine))
    driver.find_element(By.ID, "load").send_keys(str(tmp_path / "practice.json"))
    wait(driver, lambda d: "seed 77: 1 of 15 values are right" in text(d, "#progress"))
    saved = driver.execute_async_script("""
        const done = arguments[0], plain = URL.createObjectURL;
        URL.createObjectURL = (blob) => { blob.text().then(done); return plain(blob); };
        document.getElementById('save').click();
    """)
    assert json.loads(saved)["worked_calculation/77"] == mine["worked_calculation/77"]
    (tmp_path / "other.json").write_text('{"a": 1}')
    driver.find_element(By.ID, "load").send_keys(str(tmp_path / "other.json"))
    wait(driver, lambda d: text(d, "#status") == "This file holds no progress.")


def test_a_gradient_is_read_its_mistake_named_and_the_line_of_a_function_found(
    driver, address, tmp_path, serious, artefacts
):
    driver.get(f"{address[0]}gradient.html")
    driver.find_element(By.ID, "example").click()
    wait(driver, lambda d: d.find_element(By.ID, "point").get_attribute("value"))
    driver.find_element(By.ID, "read").click()
    wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, ".reading"))
    assert text(driver, "[data-parameter=W1] .named").startswith("The derivative of sigmoid is used with tanh.")
    assert "this way it is" in text(driver, "[data-parameter=W1]")
    assert text(driver, "[data-parameter=W2]") == "W2: right"
    # a file, and another network than it was computed with
    np.savez(tmp_path / "point.npz", **example())
    driver.find_element(By.ID, "files").send_keys(str(tmp_path / "point.npz"))
    wait(driver, lambda _: text(driver, "#status") == "1 point is loaded.")
    driver.find_element(By.ID, "remove").click()
    driver.find_element(By.ID, "read").click()
    wait(driver, lambda _: "2 layers of weights make 1 hidden layers" in text(driver, "#status"))
    assert driver.find_elements(By.CSS_SELECTOR, ".reading") == []
    driver.find_element(By.ID, "add").click()
    driver.execute_script("document.querySelector('details').open = true")
    driver.execute_script("document.getElementById('code').value = arguments[0]", CODE)
    driver.find_element(By.ID, "run").click()
    wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, ".place"), "no line was found")
    assert driver.find_element(By.CSS_SELECTOR, "[data-parameter=W1] .place").get_attribute("data-line") == "8"
    assert "Here the derivative of tanh at Z1 is due." in text(driver, "[data-parameter=W1] .place")
    everywhere(driver, serious, artefacts, "gradient-line")
    driver.execute_script("document.getElementById('code').value = 'def f(X):\\n    while True: pass'")
    driver.find_element(By.ID, "run").click()
    wait(driver, lambda d: d.find_element(By.ID, "stop").is_enabled())
    driver.find_element(By.ID, "stop").click()
    wait(driver, lambda _: text(driver, "#status") == "Stopped.")


def test_what_is_no_json_is_said_without_python(driver, address):
    driver.get(f"{address[0]}gradient.html")
    driver.find_element(By.ID, "point").send_keys("{'X': 1}")
    driver.find_element(By.ID, "read").click()
    assert text(driver, "#status").startswith("This is no JSON:")


def test_pages_fit_any_screen_and_axe_finds_nothing_serious(driver, address, artefacts, serious):
    for name in make.PAGES:
        driver.get(address[0] + name)
        for figure in driver.find_elements(By.TAG_NAME, "figure"):
            driver.execute_script("arguments[0].scrollIntoView()", figure)
            wait(driver, lambda _, one=figure: one.find_elements(By.CSS_SELECTOR, ".said"))
        everywhere(driver, serious, artefacts, Path(name).stem)


def test_the_search_finds_a_section_and_leads_to_it(driver, address, artefacts, serious):
    driver.get(f"{address[0]}docs/index.html")
    driver.find_element(By.ID, "q").send_keys("bubblewrap land")
    wait(driver, lambda _: text(driver, "#status").startswith("You see"))
    found = driver.find_elements(By.CSS_SELECTOR, "#found li")
    assert all("bubblewrap" in one.text.lower() or "…" in one.text for one in found)
    assert found[0].find_element(By.TAG_NAME, "a").text in (
        "Promised · Threats",
        "Process boundaries · How a notebook becomes marks",
    )
    everywhere(driver, serious, artefacts, "search")
    box = driver.find_element(By.ID, "q")
    box.clear()
    box.send_keys("learning rate descent")
    wait(driver, lambda d: "guide.html#" in d.find_element(By.CSS_SELECTOR, "#found a").get_attribute("href"))
    box.clear()
    box.send_keys("xylophone")
    wait(driver, lambda _: text(driver, "#status") == "No section has all these words.")
    box.clear()
    box.send_keys("where each promise is tested", Keys.ENTER)
    wait(driver, lambda d: d.switch_to.active_element.tag_name == "a")
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait(driver, lambda d: d.current_url.endswith("docs/graders.html#where-each-promise-is-tested"))


def test_documents_fit_a_phone_and_axe_finds_nothing_serious(driver, address, root, serious, artefacts):
    """Light and dark in turn; how two of them look is kept as a picture."""
    browser.size(driver, 390, 900)
    for number, one in enumerate(one for listed in documents.documents(root).values() for one in listed):
        scheme = ("light", "dark")[number % 2]
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        driver.get(f"{address[0]}docs/{one.page}")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390, one.page
        assert serious(driver) == [], one.page
        if one.page in ("README.html", "graders.html"):
            browser.picture(driver, artefacts / f"site-docs-{one.page}-{scheme}.png")


def move(driver, figure, value):
    """A slider of a picture, moved; gives what is said then."""
    driver.execute_script(
        "const i = arguments[0].querySelector('input'); i.value = arguments[1]; i.dispatchEvent(new Event('input'))",
        figure, str(value),
    )  # fmt: skip
    return figure.find_element(By.CLASS_NAME, "said").text


def length(said):
    """A number as the pictures write it."""
    digits, _, power = said.partition(" · 10^−")
    return float(digits) / 10 ** int(power or 0)


def live(driver, name):
    figure = driver.find_element(By.CSS_SELECTOR, f"[data-live={name}]")
    driver.execute_script("arguments[0].scrollIntoView()", figure)
    wait(driver, lambda _: figure.find_elements(By.CLASS_NAME, "said"))
    return figure


def test_the_pictures_of_the_guide_say_what_is_true_and_load_no_python(driver, address):
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    )
    driver.get(f"{address[0]}guide.html")
    w = 2 + (-1.5 - 2) * (1 - 2 * 0.03) ** 12
    assert f"w = {w:.2f} and the loss is {(w - 2) ** 2:.3f}" in move(driver, live(driver, "descent_picture"), 0.03)
    assert "it grows" in move(driver, live(driver, "descent_picture"), 1.02)
    chain = live(driver, "chain_picture")
    assert "loss 0.250" in chain.text
    assert "= −0.500." in chain.text
    assert "saturated" in move(driver, chain, -3)
    deep = live(driver, "deep_picture")
    assert f"{0.3**30:.1e}".replace("e-", "e-") in move(driver, deep, 0.3)
    assert "explodes" in move(driver, deep, 1.5)
    graph = live(driver, "graph")
    said = []
    (back, forth) = graph.find_elements(By.TAG_NAME, "button")
    while forth.is_enabled():
        forth.send_keys(Keys.ENTER)
        said.append(graph.find_element(By.CLASS_NAME, "said").text)
    assert [line.split(". ")[1].split(":")[0] for line in said] == ["Forward"] * 4 + ["Back"] * 4
    assert said[-1].endswith("dL/du = 1 · 2 + 1 · 2u = 12.")
    back.send_keys(Keys.ENTER)
    assert "Step 7 of 8" in graph.text
    boundary = live(driver, "boundary_picture")
    few = move(driver, boundary, 1)
    many = move(driver, boundary, 8)
    share = [int(said.split(", and ")[1].split(" %")[0]) for said in (few, many)]
    assert share[0] < 92 < 95 < share[1]
    assert "After 1500 epochs" in many
    (at_units, at_output) = re.search(r"the length (.*) at the hidden units and (.*) at the output", many).groups()
    assert 0 < length(at_output) < 0.1
    assert 0 < length(at_units) < 0.1
    bars = boundary.find_elements(By.CLASS_NAME, "length")  # as they are drawn, whatever their attributes say
    assert len([one for one in bars if one.rect["height"] > 1]) == 8 < len(bars)
    # a step that is small takes off the loss what the length of the gradient says
    told = driver.execute_script("""
        const one = network(5, 'cross-entropy'), points = moons(), before = one.step(points, 0);
        one.step(points, 1e-4);
        return [before.loss - one.step(points, 0).loss, Math.hypot(...before.units, before.output)];
    """)
    assert told[0] == pytest.approx(1e-4 * told[1] ** 2, rel=1e-2)
    assert "After 400 epochs" in live(driver, "special_picture").text
    ising = live(driver, "ising_picture")
    assert "most spins agree" in move(driver, ising, 1.5)
    assert "mixed" in move(driver, ising, 4)
    fetched = driver.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert {name.rpartition("/")[2] for name in fetched} == {"page.css", "site.css", "common.js", "guide.js"}


def test_axe_sees_what_is_wrong(driver, address, serious):
    driver.get(f"{address[0]}index.html")
    driver.execute_script("document.querySelector('main').append(document.createElement('select'))")
    assert any(one.startswith("select-name") for one in serious(driver))


def test_the_content_policy_holds_beside_python_too(driver, address):
    """The worker that runs Python keeps to the policy of its page: no other server, no code from text."""
    driver.get(f"{address[0]}gradient.html")
    found = driver.execute_async_script("""
        const done = arguments[0];
        const text = "fetch('https://example.org/').then(() => 'fetched', () => 'refused').then((a) => {"
          + "let b = 'evaluated'; try { new Function('1')() } catch { b = 'refused' } postMessage([a, b]) })";
        new Worker(URL.createObjectURL(new Blob([text]))).onmessage = ({ data }) => done(data);
    """)
    assert found == ["refused", "refused"]


def test_the_keyboard_reaches_every_page(driver, address):
    driver.get(f"{address[0]}index.html")
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Skip to the content"
    reached = []
    for _ in range(len(make.PAGES)):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(driver.switch_to.active_element.text)
    assert reached == list(make.PAGES.values())
