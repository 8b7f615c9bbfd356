"""A sheet in JupyterLite, without any network: a notebook runs to a green self-check, is kept, and is downloaded.

What npm cannot bring is not there: matplotlib and scikit-learn. So the setup cell stops at its import of matplotlib,
which the test sees, and the answer cell imports the rest. Everything else is as it is released.
"""

import json
import re
import zipfile
from importlib.util import find_spec

import browser
import nbformat
import pytest
from lab import FILL, FIND, IDLE, open_notebook, run_all, shown
from selenium.webdriver.common.by import By

from autograder.build.submission import solutions
from autograder.cli import main
from autograder.exercises import load
from autograder.site import make

pytestmark = pytest.mark.long

IMPORTS = "import numpy as np\nfrom selfcheck import check_function, check_gradient, check_yourself\n\n"
"""What the setup cell imports, without what draws."""

RUN = (
    FIND
    + """
const notebook = window.jupyterapp.shell.currentWidget.content;
notebook.activeCellIndex = cells.indexOf(cell);
window.jupyterapp.commands.execute('notebook:run-cell');
"""
)
DO = """
const [name, done] = arguments;
window.jupyterapp.commands.execute(name).then(() => done(true), () => done(false));
"""
SOURCE = FIND + "return cell?.model.sharedModel.getSource() ?? ''"


@pytest.fixture(scope="module")
def course(tmp_path_factory, root, parts):
    """The site in a folder below a path, and its address."""
    if not find_spec("jupyterlite_core"):
        pytest.skip("JupyterLite is missing: make lite-parts")
    served = tmp_path_factory.mktemp("served")
    (served / "some").mkdir()
    site = served / "some" / "course"
    make.make_site(root, site, parts, ["foundations"], compiled=True)
    expose(site)
    with browser.served(served) as (server, _):
        yield site, f"{server}some/course/"


def run(driver, *names):
    """Run these cells, one after another: JupyterLite's "Run All" stops where one raises, whatever its tags say."""
    for name in names:
        driver.execute_script(RUN, name)


def expose(site):
    """Let the page reach the application, as the helpers for JupyterLab do."""
    path = site / "lite" / "jupyter-lite.json"
    settings = json.loads(path.read_text())
    settings["jupyter-config-data"]["exposeAppInBrowser"] = True
    path.write_text(json.dumps(settings))


def test_a_notebook_runs_to_a_green_self_check_is_kept_and_downloaded(
    driver, course, root, tmp_path, artefacts, capsys
):
    site, address = course
    released = nbformat.read(root / "assignments" / "foundations" / "relu_derivative.ipynb", as_version=4)
    solved = solutions(root, load("relu_derivative"))
    solved["functions"] = IMPORTS + solved["functions"]
    browser.size(driver, 1300, 900)
    open_notebook(driver, f"{address}lite/lab/index.html?path=foundations/relu_derivative.ipynb")
    run_all(driver)
    assert "No module named 'matplotlib'" in shown(driver, "setup", "Error")  # where it ends without a network
    wrong = solved["functions"].replace("astype(float)", "astype(float) * 2")
    assert wrong != solved["functions"]
    for functions, said in ((wrong, "but the slope"), (solved["functions"], "ok")):
        driver.execute_script(FILL, "", {**solved, "functions": functions})
        run(driver, "functions", "selfcheck_functions")
        shown(driver, "selfcheck_functions", said)
    run(driver, "signal", "selfcheck_signal")
    for name in ("selfcheck_functions", "selfcheck_signal"):
        assert "WRONG" not in shown(driver, name, "ok")
    browser.picture(driver, artefacts / "lite-1-checked.png", height=900)
    assert driver.execute_async_script(DO, "docmanager:save")

    # the file that is handed in
    handed_in = tmp_path / "submitted" / "ada" / "foundations"
    handed_in.mkdir(parents=True)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(handed_in)})
    assert driver.execute_async_script(DO, "docmanager:download")
    browser.wait(driver, lambda _: list(handed_in.glob("*.ipynb")), "nothing was downloaded")
    (downloaded,) = handed_in.glob("*.ipynb")
    mine = nbformat.read(downloaded, as_version=4)
    assert [cell.metadata.get("nbgrader") for cell in mine.cells] == [
        c.metadata.get("nbgrader") for c in released.cells
    ]
    assert {cell.id: cell.source for cell in mine.cells if cell.id in solved} == solved

    assert main(["grade", str(tmp_path / "submitted"), "--root", str(root), "--details"]) == 0
    assert re.search(r"sum +14 / 14", capsys.readouterr().out)

    # an update of the site: what was begun stays, what was not is new
    for path in (site / "lite" / "files" / "foundations").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].source += "\n\nCorrected."
        nbformat.write(notebook, path)
    driver.get("about:blank")
    open_notebook(driver, f"{address}lite/lab/index.html?path=foundations/relu_derivative.ipynb")
    assert driver.execute_script(SOURCE, "functions") == solved["functions"]
    open_notebook(driver, f"{address}lite/lab/index.html?path=foundations/linear_models.ipynb")
    browser.wait(driver, lambda one: "Corrected." in one.execute_script(SOURCE, "title"), "the old one is shown")
    browser.wait(driver, lambda one: one.execute_script(IDLE))


def test_the_page_of_the_notebooks_leads_to_each_and_fits(driver, course, serious):
    site, address = course
    browser.size(driver, 390, 900)
    driver.get(f"{address}notebooks.html")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    assert serious(driver) == []
    links = [one.get_attribute("href") for one in driver.find_elements(By.CSS_SELECTOR, "main li a")]
    names = {link.partition("?path=")[2] for link in links}
    files = site / "lite" / "files"
    assert names == {path.relative_to(files).as_posix() for path in files.rglob("*.ipynb")}


def test_sympy_that_was_compiled_gives_a_task_and_its_values(driver, course):
    """As `autograder site --offline` makes it: what every task loads is bytecode of the page's own Python."""
    site, address = course
    with zipfile.ZipFile(site / "python" / "sympy.zip") as packed:
        assert "sympy/__init__.pyc" in packed.namelist()
        assert "sympy/__init__.py" not in packed.namelist()
    driver.get(f"{address}practice.html#small_network/3")
    browser.wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, "#values input"), "no task was shown")
    driver.find_element(By.ID, "reveal").click()
    browser.wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, ".shown code"), "no step was shown")
