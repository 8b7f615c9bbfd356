"""The marking page in a tab of JupyterLab: the launcher's card and nbgrader's menu open it, and marks arrive."""

import shutil
import tomllib
import urllib.error
import urllib.request

import browser
import desk_kit
import pytest
from lab import click
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.heavy

FRAME = "iframe[title='Marks by hand']"
READY = "return document.body?.dataset.ready === 'yes'"


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    return desk_kit.marked_course(tmp_path_factory.mktemp("tab") / "course", root, desk_kit.answers(6))


@pytest.fixture
def installed(tmp_path, monkeypatch, root):
    """What the wheel lays down for Jupyter, and nothing else of ours."""
    setuptools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    for target, files in setuptools["data-files"].items():
        folder = tmp_path / target
        folder.mkdir(parents=True)
        for file in files:
            shutil.copy(root / file, folder)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "etc" / "jupyter"))


def inside(driver):
    browser.wait(driver, lambda one: one.find_elements(By.CSS_SELECTOR, FRAME), "no tab")
    driver.switch_to.frame(driver.find_element(By.CSS_SELECTOR, FRAME))
    browser.wait(driver, lambda one: one.execute_script(READY), "the page in the tab was not ready")


def is_kept(address):
    """Whether JupyterLab has told its server that the tab is open, which it does a while afterwards."""
    with urllib.request.urlopen(address("lab/api/workspaces")) as answer:
        return b"autograder-mark" in answer.read()


def test_a_tab_of_jupyterlab_marks(driver, course, installed, artefacts):
    browser.size(driver, 1280, 900)
    with browser.jupyter_lab(course) as address:
        driver.get(address("lab"))
        click(driver, ".jp-LauncherCard[title='Mark the parts in words, answer by answer']")
        inside(driver)
        ActionChains(driver).send_keys("g", Keys.ENTER, "1", Keys.ENTER).perform()
        browser.wait(driver, lambda _: sorted(filter(None, desk_kit.scores(course).values())) == [1], "not written")
        driver.switch_to.default_content()
        browser.picture(driver, artefacts / "mark-tab.png")
        tabs = [one.text for one in driver.find_elements(By.CSS_SELECTOR, ".lm-DockPanel-tabBar .lm-TabBar-tabLabel")]
        assert "Marks by hand" in tabs
        click(driver, ".lm-DockPanel-tabBar .lm-mod-current .lm-TabBar-tabCloseIcon")
        browser.wait(driver, lambda one: not one.find_elements(By.CSS_SELECTOR, FRAME), "the tab stays")
        click(driver, xpath="//div[contains(@class,'lm-MenuBar-itemLabel')][text()='Nbgrader']")
        click(driver, xpath="//div[contains(@class,'lm-Menu-itemLabel')][text()='Marks by Hand']")
        inside(driver)
        driver.switch_to.default_content()
        browser.wait(driver, lambda _: is_kept(address), "JupyterLab does not keep what is open")
        driver.get(address("lab"))  # what was open is open again
        inside(driver)
        driver.switch_to.default_content()


def test_where_there_is_no_course_the_tab_says_so(driver, tmp_path_factory, installed):
    with browser.jupyter_lab(tmp_path_factory.mktemp("empty")) as address:
        plain = address("autograder/mark")
        with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(plain) as _:
            pass
        assert refused.value.code == 404
        assert b"no course" in refused.value.read()
        with urllib.request.urlopen(plain.partition("?")[0]) as answer:
            assert "/login" in answer.url, "nobody marks without the login"
