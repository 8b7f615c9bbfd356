"""JupyterLab as a student sees it, and formgrader as an instructor does, clicked through in a real browser."""

import shutil
import time

import browser
import nbformat
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

from autograder.audit import load_variants
from autograder.build.submission import fill, solutions
from autograder.exercises import load

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

FIND = """
const cells = window.jupyterapp.shell.currentWidget.content.widgets;
const named = c => (c.model.sharedModel.getMetadata('nbgrader') || {}).grade_id;
const cell = cells.find(c => named(c) === arguments[0]);
"""
"""A cell of the open notebook by its grade id."""

FILL = FIND + """
for (const c of cells) if (named(c) in arguments[1]) c.model.sharedModel.setSource(arguments[1][named(c)]);
"""
OUTPUT = FIND + "return cell ? cell.node.querySelector('.jp-OutputArea')?.innerText || '' : ''"
IDLE = "return window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
SEEN = FIND + """
cell.node.scrollIntoView({block: 'center'});
const box = cell.node.getBoundingClientRect();
return box.height > 40 && box.bottom > 150 && box.top < window.innerHeight - 150;
"""

FORWARD = "return document.querySelector('#forward_values')?.placeholder"
"""The points of the first question in formgrader's marking view."""

ROW = "//tr[td[contains(@class,'student-id')][text()='{}']]/td[contains(@class,'{}')]/a"
"""A link in formgrader's list of submissions."""


def click(driver, css=None, *, xpath=None, seconds=60):
    """Click what a person would click, once it can be clicked."""
    by, where = (By.CSS_SELECTOR, css) if css else (By.XPATH, xpath)

    def try_it(one):
        for element in one.find_elements(by, where):
            if element.is_displayed() and element.is_enabled():
                element.click()
                return True
        return False

    browser.wait(driver, lambda one: _quietly(try_it, one), seconds, f"{where} cannot be clicked")


def _quietly(step, driver):
    try:
        return step(driver)
    except WebDriverException:  # it moved or was covered: the next try is soon
        return False


def _text(driver, css):
    return next((element.text for element in driver.find_elements(By.CSS_SELECTOR, css) if element.text), "")


def run_all(driver):
    """Run > Run All Cells, as a student does."""
    click(driver, xpath="//div[contains(@class,'lm-MenuBar-itemLabel')][text()='Run']")
    click(driver, xpath="//div[contains(@class,'lm-Menu-itemLabel')][text()='Run All Cells']")


def shown(driver, name, words, seconds=120):
    """Wait until the output of a cell holds these words, and return it."""
    found = browser.wait(
        driver,
        lambda one: (text := one.execute_script(OUTPUT, name)) and words in text and text,
        seconds,
        f"{name} never showed {words!r}",
    )
    return found


def look_at(driver, name):
    """Wait until nothing runs any more and a cell stands still in the middle of the window."""
    browser.wait(driver, lambda one: one.execute_script(IDLE), 120, "the kernel stays busy")
    for _ in range(4):  # Lab draws cells as they come into view, which moves the others
        browser.wait(driver, lambda one: one.execute_script(SEEN, name), 30, f"{name} does not come into view")
        time.sleep(0.3)


@pytest.fixture(scope="module")
def student(tmp_path_factory, root):
    """A folder as a student has it: one sheet, as it was released."""
    folder = tmp_path_factory.mktemp("student")
    shutil.copytree(root / "assignments" / "training", folder / "training")
    return folder


def test_a_student_opens_fills_runs_checks_and_validates(driver, student, root, artefacts):
    solved = solutions(root, load("tanh_swap"))
    with browser.jupyter_lab(student) as address:
        driver.get(address("lab/tree/training/tanh_swap.ipynb"))
        browser.wait(
            driver,
            lambda one: one.execute_script(
                "const w = window.jupyterapp?.shell?.currentWidget;"
                "return w?.content?.widgets?.length > 5 && w.sessionContext?.session?.kernel?.status === 'idle'"
            ),
            120,
            "the notebook did not open with a kernel",
        )
        browser.picture(driver, artefacts / "student-1-open.png")
        run_all(driver)
        untouched = shown(driver, "selfcheck_network", "NotImplementedError")
        assert "forward_pass is not written yet: replace the line" in untouched
        look_at(driver, "selfcheck_network")
        browser.picture(driver, artefacts / "student-2-untouched.png")
        driver.execute_script(FILL, "", dict(solved))
        run_all(driver)
        checked = shown(driver, "selfcheck_network", "ok")
        assert "WRONG" not in checked
        shown(driver, "compare", "tanh")
        look_at(driver, "selfcheck_network")
        browser.picture(driver, artefacts / "student-3-checked.png")
        click(driver, xpath="//*[self::button or self::jp-button][contains(., 'Validate')]")
        dialog = browser.wait(driver, lambda one: _text(one, ".jp-Dialog-content"), 120, "Validate said nothing")
        browser.picture(driver, artefacts / "student-4-validated.png")
        assert "Success" in dialog
    saved = nbformat.read(student / "training" / "tanh_swap.ipynb", as_version=4)
    assert any("np.tanh" in cell.source for cell in saved.cells)


@pytest.fixture(scope="module")
def course(tmp_path_factory, root):
    """An instructor's folder: one sheet, and two students who have handed in."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(root / "nbgrader_config.py", folder)
    shutil.copytree(root / "source" / "by_hand", folder / "source" / "by_hand")
    for other in (folder / "source" / "by_hand").glob("*.ipynb"):
        if other.stem != "worked_calculation":
            other.unlink()
    exercise = load("worked_calculation")
    released = nbformat.read(root / "assignments" / "by_hand" / "worked_calculation.ipynb", as_version=4)
    solved = solutions(root, exercise)
    slip = load_variants(root, exercise).find("sigmoid-sign").apply(solved)
    for name, cells in (("ada", solved), ("carla", slip)):
        path = folder / "submitted" / name / "by_hand" / "worked_calculation.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(released, cells), path)
    return folder


def succeeded(driver, what):
    """Wait for formgrader's dialog, check that it reports a success, and close it."""
    title = browser.wait(
        driver, lambda one: _text(one, ".modal.in .modal-title"), 180, f"{what}: formgrader said nothing"
    )
    body = driver.find_element(By.CSS_SELECTOR, ".modal.in .modal-body").text
    assert title == "Success", body[-1500:]
    click(driver, ".modal.in .modal-footer .btn, .modal.in .modal-header .close")
    gone = ".modal, .modal-backdrop"
    browser.wait(driver, lambda one: not one.find_elements(By.CSS_SELECTOR, gone), 30, "the dialog stays")


def test_an_instructor_releases_grades_comments_and_gives_feedback(driver, course, artefacts):
    browser.size(driver, 1300, 900)
    with browser.jupyter_lab(course) as address:
        driver.get(address("formgrader/manage_assignments"))
        click(driver, "td a:has(.glyphicon-education)")
        succeeded(driver, "releasing")
        browser.picture(driver, artefacts / "formgrader-1-assignments.png")
        assert (course / "assignments" / "by_hand" / "worked_calculation.ipynb").is_file()

        driver.get(address("formgrader/manage_submissions/by_hand"))
        for name in ("ada", "carla"):
            click(driver, xpath=ROW.format(name, "autograde"))
            succeeded(driver, f"grading {name}")
        rows = {
            cells[1]: cells[4]
            for row in driver.find_elements(By.CSS_SELECTOR, "#main-table tr")
            if len(cells := [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]) > 4
        }
        assert rows == {"ada": "25 / 25", "carla": "23 / 25"}
        browser.picture(driver, artefacts / "formgrader-2-scores.png")

        earned = {}
        for number in (1, 2):  # submissions are anonymous here, in an order of their own
            driver.get(address("formgrader/gradebook/by_hand/worked_calculation"))
            click(driver, xpath=f"//td//a[contains(., 'Submission #{number}')]")
            found = browser.wait(driver, lambda one: one.execute_script(FORWARD), 60, "no score in the marking view")
            earned[found] = driver.current_url
        assert sorted(earned) == ["6", "8"]
        driver.get(earned["6"])
        browser.wait(driver, lambda one: one.execute_script(FORWARD), 60, "no score in the marking view")
        comment = driver.find_element(By.CSS_SELECTOR, "textarea.comment")
        comment.send_keys("Look at the exponent once more.")
        driver.execute_script("arguments[0].blur()", comment)
        browser.wait(driver, lambda one: one.execute_script("return !window.jQuery.active"), 30, "not saved")
        browser.picture(driver, artefacts / "formgrader-3-marking.png", height=4000)

        driver.get(address("formgrader/manage_submissions/by_hand"))
        click(driver, xpath=ROW.format("carla", "generate-feedback"))
        succeeded(driver, "feedback")
    page = course / "feedback" / "carla" / "by_hand" / "worked_calculation.html"
    driver.get(page.as_uri())
    text = driver.find_element(By.TAG_NAME, "body").text
    assert "23 of 25 points" in text
    assert "Look at the exponent once more." in text
    browser.picture(driver, artefacts / "formgrader-4-feedback.png")
