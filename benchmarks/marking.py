"""How long a marker waits for the machine: ``python benchmarks/marking.py [--answers 58] [--pictures FOLDER]``.

A class's answers to one part, the marking page in headless Chromium, and a script in the place of the person: it reads
nothing, ticks a box and types Enter until no answer waits. Printed are, by the browser's own clock:

- the load of the page, from the request to the first card that can be marked;
- from the key Enter to the frame that shows the next answer;
- from the first key to the moment when the gradebook has every mark.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "kits")]

import browser  # noqa: E402
import desk_kit  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

READY = "return document.body.dataset.ready === 'yes'"
WATCH = """
window.took = [];
addEventListener('keydown', event => {
  if (event.key !== 'Enter') return;
  const start = performance.now();
  requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - start)));
}, true);
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=58)
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = desk_kit.marked_course(Path(folder, "course"), ROOT, desk_kit.answers(args.answers))
        with desk_kit.served(course) as address, browser.chromium(1280, 900) as driver:
            driver.get(address)  # the first one opens the gradebook and reads the notebooks
            browser.wait(driver, lambda one: one.execute_script(READY), 120, "the page was not ready")
            loads = []
            for _ in range(5):
                driver.get(address)
                browser.wait(driver, lambda one: one.execute_script(READY), 120, "the page was not ready")
                loads.append(driver.execute_script("return performance.getEntriesByName('ready')[0].startTime"))
            driver.execute_script(WATCH)
            start = time.perf_counter()
            for _ in range(args.answers):
                ActionChains(driver).send_keys("1", Keys.ENTER).perform()
            browser.wait(driver, lambda _: None not in desk_kit.scores(course).values(), 120, "marks are missing")
            whole = time.perf_counter() - start
            took = driver.execute_script("return window.took")
            if args.pictures:
                browser.picture(driver, args.pictures / "marked.png")
    print(f"answers                      {args.answers}")
    print(f"page load, median of 5       {statistics.median(loads):.0f} ms")
    print(f"Enter to next, median        {statistics.median(took):.0f} ms")
    print(f"Enter to next, 95 % below    {sorted(took)[int(0.95 * len(took))]:.0f} ms")
    print(f"all marks in the gradebook   {whole:.1f} s")


if __name__ == "__main__":
    main()
