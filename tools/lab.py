"""What a student does in JupyterLab, step by step in a real browser: open, fill in, run, look."""

from __future__ import annotations

import time
from collections.abc import Mapping

from browser import wait
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

FIND = """
const cells = window.jupyterapp.shell.currentWidget.content.widgets;
const named = c => (c.model.sharedModel.getMetadata('nbgrader') || {}).grade_id;
const cell = cells.find(c => named(c) === arguments[0]);
"""
"""A cell of the open notebook by its grade id."""

FILL = (
    FIND
    + """
for (const c of cells) if (named(c) in arguments[1]) c.model.sharedModel.setSource(arguments[1][named(c)]);
"""
)
OUTPUT = FIND + "return cell ? cell.node.querySelector('.jp-OutputArea')?.innerText || '' : ''"
IDLE = "return window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
SEEN = (
    FIND
    + """
cell.node.scrollIntoView({block: 'center'});
const box = cell.node.getBoundingClientRect();
return box.height > 40 && box.bottom > 150 && box.top < window.innerHeight - 150;
"""
)
OPEN = """
const shown = window.jupyterapp?.shell?.currentWidget;
return shown?.content?.widgets?.length > 5 && shown.sessionContext?.session?.kernel?.status === 'idle';
"""


def open_notebook(driver: WebDriver, address: str) -> None:
    """Open a notebook and wait for its kernel."""
    driver.get(address)
    wait(driver, lambda one: one.execute_script(OPEN), "the notebook did not open with a kernel")


def fill_in(driver: WebDriver, cells: Mapping[str, str]) -> None:
    """Put these texts into the cells with these grade ids."""
    driver.execute_script(FILL, "", dict(cells))


def click(driver: WebDriver, css: str = "", *, xpath: str = "") -> None:
    """Click what a person would click, once it can be clicked."""
    by, where = (By.CSS_SELECTOR, css) if css else (By.XPATH, xpath)

    def try_it(one):
        for element in one.find_elements(by, where):
            if element.is_displayed() and element.is_enabled():
                element.click()
                return True
        return False

    wait(driver, lambda one: _quietly(try_it, one), f"{where} cannot be clicked")


def _quietly(step, driver):
    try:
        return step(driver)
    except WebDriverException:  # it moved or was covered: the next try is soon
        return False


def text_of(driver: WebDriver, css: str) -> str:
    """The text of the first element that has any."""
    return next((element.text for element in driver.find_elements(By.CSS_SELECTOR, css) if element.text), "")


def run_all(driver: WebDriver) -> None:
    """Run > Run All Cells, as a student does."""
    click(driver, xpath="//div[contains(@class,'lm-MenuBar-itemLabel')][text()='Run']")
    click(driver, xpath="//div[contains(@class,'lm-Menu-itemLabel')][text()='Run All Cells']")


def shown(driver: WebDriver, name: str, words: str) -> str:
    """Wait until the output of a cell holds these words, and return it."""
    found = wait(
        driver,
        lambda one: (text := one.execute_script(OUTPUT, name)) and words in text and text,
        f"{name} never showed {words!r}",
    )
    return found


def look_at(driver: WebDriver, name: str) -> None:
    """Wait until nothing runs any more and a cell stands still in the middle of the window."""
    wait(driver, lambda one: one.execute_script(IDLE), "the kernel stays busy")
    for _ in range(4):  # Lab draws cells as they come into view, which moves the others
        wait(driver, lambda one: one.execute_script(SEEN, name), f"{name} does not come into view")
        time.sleep(0.3)
