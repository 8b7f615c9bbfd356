"""Headless Chromium and a JupyterLab of one's own, for the tests in tests/browser and for tools/pictures.py.

Everything stays on loopback, in new folders, and ends with the ``with`` block.
"""

from __future__ import annotations

import base64
import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

MISSING = "Chromium is not installed. On Debian or Ubuntu: sudo apt-get install chromium chromium-driver"

QUIET = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to start as root with its own sandbox, and only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',  # else Lab asks in a dialog
    "notebook-extension/tracker": '{"windowingMode": "none"}',  # else what lies outside the window is not drawn
}


def programs() -> tuple[str, str] | None:
    """Chromium and its driver, or None when they are not installed."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def chromium(width: int = 1200, height: int = 900, *, dark: bool = False) -> Iterator[WebDriver]:
    """A browser with a new profile. Raises RuntimeError when Chromium is not installed."""
    found = programs()
    if found is None:
        raise RuntimeError(MISSING)
    options = webdriver.ChromeOptions()
    options.binary_location = found[0]
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*QUIET, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(found[1]))
        try:
            driver.set_page_load_timeout(LONG_SECONDS)
            size(driver, width, height)
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
            )
            yield driver
        finally:
            driver.quit()


def size(driver: WebDriver, width: int, height: int) -> None:
    """Give the page this size; below 500 it behaves as on a phone."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )


def requested(driver: WebDriver) -> list[str]:
    """The addresses that pages have asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def picture(driver: WebDriver, path: Path, *, height: float | None = None) -> None:
    """A PNG of the whole page, however long, or of its upper ``height`` pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": whole["width"], "height": min(height or whole["height"], 12_000), "scale": 1}
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(taken["data"]))


def top_of(driver: WebDriver, css: str) -> float:
    """Where the first such element begins, in pixels from the top of the page: a height for :func:`picture`."""
    return driver.execute_script(
        "return document.querySelector(arguments[0]).getBoundingClientRect().top + window.scrollY", css
    )


def printed(driver: WebDriver, path: Path) -> None:
    """The page as a PDF on A4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = driver.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    path.write_bytes(base64.b64decode(made["data"]))


LONG_SECONDS = 600.0
"""What has not happened by then never will, however slow the machine."""


def wait(driver: WebDriver, until: Callable[[WebDriver], object], what: str = "") -> object:
    """Wait until a condition holds and return what it gave. Raises TimeoutException with ``what``."""
    return WebDriverWait(driver, LONG_SECONDS, poll_frequency=0.2).until(until, what)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A folder behind a server of one's own: its address, and the paths that it was asked for so far."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[Callable[[str], str]]:
    """A JupyterLab server in a folder; gives a function from a path to its address with the token.

    A page can reach the application as ``window.jupyterapp``. Raises RuntimeError when the server does not start.
    """
    bin_folder = str(Path(sys.executable).parent)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as private:
        environment = os.environ | {
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "JUPYTER_RUNTIME_DIR": f"{private}/runtime",
            "JUPYTER_DATA_DIR": f"{private}/data",
            "JUPYTER_CONFIG_DIR": f"{private}/config",
            "JUPYTERLAB_SETTINGS_DIR": f"{private}/settings",
            "JUPYTERLAB_WORKSPACES_DIR": f"{private}/workspaces",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        for name, text in SETTINGS.items():
            settings = Path(private, "settings", "@jupyterlab", f"{name}.jupyterlab-settings")
            settings.parent.mkdir(parents=True)
            settings.write_text(text)
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0", "--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]  # fmt: skip
        log = Path(private) / "log"
        with log.open("w") as file:
            server = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
        try:
            yield _address(server, Path(private) / "runtime", log)
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _address(server: subprocess.Popen, runtime: Path, log: Path) -> Callable[[str], str]:
    end = time.monotonic() + LONG_SECONDS
    while time.monotonic() < end and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                about = json.loads(path.read_text())
            except ValueError:  # it is being written
                continue
            if not _accepts(about["port"]):  # the server says where it is before it listens there
                continue
            return lambda page: f"{about['url']}{page}?token={about['token']}"
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
