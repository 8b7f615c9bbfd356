"""What a visitor waits for on the site, in headless Chromium: ``python benchmarks/site.py --docs docs/site.md``.

Every visit has a browser of its own with nothing kept, and a server on loopback: it is the time of computing. Needs
``make site-parts``.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from pages import measured_on
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from autograder.site import make_site

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import browser  # noqa: E402

CODE = """import numpy as np

def gradients(X, Y, W1, b1, W2, b2):
    A1 = np.tanh(W1 @ X + b1)
    dZ2 = (1 / (1 + np.exp(-(W2 @ A1 + b2))) - Y) / X.shape[1]
    dZ1 = W2.T @ dZ2 * A1 * (1 - A1)
    return dZ1 @ X.T, dZ1.sum(axis=1, keepdims=True), dZ2 @ A1.T, dZ2.sum(axis=1, keepdims=True)
"""

PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime / 1000"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that writes no log."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def until(driver: WebDriver, css: str) -> float:
    """Seconds until the page has such an element."""
    start = time.perf_counter()
    browser.wait(driver, lambda one: one.find_elements(By.CSS_SELECTOR, css), css)
    return time.perf_counter() - start


def visit(address: str) -> dict[str, float]:
    """One visit of each page; seconds by what is waited for."""
    found: dict[str, float] = {}
    with browser.chromium() as driver:
        driver.get(f"{address}guide.html")
        found["guide: first paint"] = float(browser.wait(driver, lambda one: one.execute_script(PAINT)))  # type: ignore[arg-type]
    with browser.chromium() as driver:
        driver.get(f"{address}practice.html#worked_calculation/3")
        found["practice: the first task is there, Python and sympy loaded"] = until(driver, "#values input")
        driver.find_element(By.ID, "value-z1").send_keys("[1, 2]")
        found["practice: a value is checked, half a second after it was typed"] = until(
            driver, ".value.wrong, .value.ok"
        )
    with browser.chromium() as driver:
        driver.get(f"{address}gradient.html")
        driver.find_element(By.ID, "example").click()  # begins to load Python
        found["gradient: Python is ready"] = until(driver, "html[data-ready]")
        browser.wait(driver, lambda one: one.find_element(By.ID, "point").get_attribute("value"))
        driver.find_element(By.ID, "read").click()
        found["gradient: the first mistake is named"] = until(driver, ".reading")
        driver.execute_script(
            "document.getElementById('code').value = arguments[0]; document.getElementById('run').click()", CODE
        )
        found["gradient: the line of a function, sympy loaded"] = until(driver, ".place")
    return found


def table(rows: dict[str, list[float]], size: int, fetched: int) -> str:
    """The table of the page."""
    lines = ["| headless Chromium, everything in the site | |", "|---|---|"]
    lines += [f"| {name} | {median(times):.2f} s |" for name, times in rows.items()]
    lines.append(
        f"| size of the site | {size / 1e6:.1f} MB, of which a page with Python fetches {fetched / 1e6:.1f} MB |"
    )
    load, visits = os.getloadavg()[0], len(next(iter(rows.values())))
    lines += [
        "",
        f"{measured_on(load, 'at the end')}; medians of {visits}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("--docs", type=Path, help="the page with the table")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = make_site(ROOT, Path(folder) / "site", ROOT / ".npm", compiled=True)
        handler: Callable[..., Quiet] = functools.partial(Quiet, directory=Path(folder) / "site")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/"
            visits = [visit(address) for _ in range(args.visits)]
            server.shutdown()
    rows = {name: [one[name] for one in visits] for name in visits[0]}
    text = table(rows, sum(made.values()), sum(size for name, size in made.items() if name.startswith("python/")))
    print(text)
    if args.docs:
        page = args.docs.read_text(encoding="utf-8")
        marks = r"(<!-- measured: begin -->\n).*?(<!-- measured: end -->)"
        args.docs.write_text(re.sub(marks, lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
