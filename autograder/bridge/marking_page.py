"""The marking page: Jupyter Server's Tornado and login in front of a :class:`Desk`.

``autograder mark`` serves it alone, on this machine only. In JupyterLab it is an extension of the server: the file in
``jupyter/`` beside this module enables it, and ``main.js`` there opens it in a tab.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets import Bool, Float, Unicode
from traitlets.config import Config, Configurable

if TYPE_CHECKING:  # what marks is loaded when somebody marks: every start of JupyterLab imports this module
    from autograder.bridge.marking import Desk

from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS

PAGE = Path(__file__).with_name("page")
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing but the page's own script runs, also where JupyterLab serves students' files from the same address; nothing
is loaded from elsewhere; styles stand in drawn formulas."""

MOST = 1_000_000
"""Most bytes of a request."""


class MarkingPage(Configurable):
    """Settings of the page."""

    sheet = Unicode("", help="The sheet that is opened first.").tag(config=True)
    marker = Unicode("", help="Who marks; the user of this machine by default.").tag(config=True)
    names = Bool(False, help="Show names of students.").tag(config=True)
    second = Float(0.0, help="Share of answers for a blind second marker.").tag(config=True)


class Desks:
    """One desk for each sheet of a course, opened when it is asked for."""

    def __init__(self, config: Config | None, start: Path) -> None:
        """Open nothing yet. Without a configuration it is that of the course at or above ``start``."""
        self._config, self._start = config, start
        self._open: dict[str, Desk] = {}

    @cached_property
    def config(self) -> Config:
        """The configuration of the course. Raises CourseError where there is none."""
        from autograder.bridge.settings import course_config

        if self._config is not None:
            return self._config
        root, here = find_root(self._start), self._start.resolve()
        if not here.is_relative_to(root):  # found because the package lies in a course, and not asked for
            raise CourseError(f"there is no course in {here}: start JupyterLab in the course's folder.")
        return course_config(root)

    def desk(self, sheet: str) -> Desk:
        """The desk of a sheet. Raises CourseError."""
        from autograder.bridge.marking import Desk

        if sheet not in self._open:
            mine = MarkingPage(config=self.config)
            marker = mine.marker or os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
            self._open[sheet] = Desk(self.config, sheet, marker, names=mine.names, share=mine.second)
        return self._open[sheet]

    def sheets(self) -> Mapping[str, str]:
        """Names and titles of the sheets that have something for people. Raises CourseError without a course."""
        from autograder.exercises import all_exercises

        asked = self.config and {one.sheet for one in all_exercises() if one.written}
        return {name: title for name, title in SHEETS.items() if name in asked}

    def first(self) -> str:
        """The first sheet where an answer waits, or one that has answers. Raises CourseError when there is none."""
        found, reason = "", "nothing in this course is marked by people."
        for sheet in self.sheets():
            try:
                parts = self.desk(sheet).overview()
            except CourseError as problem:
                reason = str(problem)
                continue
            if any(one["waiting"] for one in parts):
                return sheet
            found = found or sheet
        if not found:
            raise CourseError(reason)
        return found


class _Handler(JupyterHandler):
    def initialize(self, desks: Desks) -> None:
        self.desks = desks

    @cached_property
    def nonce(self) -> str:
        return secrets.token_urlsafe(16)

    @property
    def content_security_policy(self) -> str:
        return POLICY.format(nonce=self.nonce)

    def desk(self, sheet: str) -> Desk:
        if sheet not in SHEETS:
            raise HTTPError(404)
        return self.desks.desk(sheet)

    def say_why(self, problem: CourseError) -> None:
        self.set_status(404)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"There is nothing to mark: {problem}")


class _First(_Handler):
    @authenticated
    def get(self) -> None:
        try:
            self.redirect(f"{self.base_url}autograder/mark/{self.desks.first()}")
        except CourseError as problem:
            self.say_why(problem)


class _Home(_Handler):
    @authenticated
    def get(self, sheet: str) -> None:
        try:
            self.desk(sheet)
        except CourseError as problem:
            self.say_why(problem)
            return
        self.xsrf_token  # noqa: B018  (sets the cookie that the page sends back)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        page = (PAGE / "mark.html").read_text(encoding="utf-8")
        self.finish(page.replace("{{sheet}}", sheet).replace("{{nonce}}", self.nonce))


class _Api(_Handler):
    """What the page asks and says, as JSON."""

    @authenticated
    def get(self, sheet: str, what: str) -> None:
        desk, ask = self.desk(sheet), self.get_query_argument
        try:
            if what == "overview":
                about = {"marker": desk.marker, "second": desk.share, "sheets": self.desks.sheets()}
                self._say({"parts": desk.overview(), **about})
            elif what == "part":
                self._say(desk.part(ask("exercise"), ask("part"), float(ask("alike", "92"))))
            elif what == "beside":
                self._say({"html": desk.beside(ask("exercise"), ask("part"), ask("id"))})
            elif what == "agreement":
                self._say({"parts": desk.agreement()})
            else:
                raise HTTPError(404)
        except (KeyError, ValueError):
            raise HTTPError(404) from None

    @authenticated
    def post(self, sheet: str, what: str) -> None:
        from autograder.bridge.marking import Conflict

        desk = self.desk(sheet)
        if len(self.request.body) > MOST:
            raise HTTPError(413)
        try:
            asked = json.loads(self.request.body)
            if what == "mark":
                self._say({"marks": desk.mark(asked["exercise"], asked["part"], asked["marks"])})
            elif what == "scheme":
                changed = desk.reword(
                    asked["exercise"], asked["part"], asked["boxes"], dry=bool(asked.get("dry", True))
                )
                self._say({"changed": changed})
            else:
                raise HTTPError(404)
        except Conflict as conflict:
            self.set_status(409)
            self._say({"conflict": str(conflict)})
        except (KeyError, TypeError, ValueError):
            raise HTTPError(400) from None

    def _say(self, found: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(found))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "autograder.bridge.marking_page"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    if not server.identity_provider.auth_enabled:
        server.log.warning("The marking page is not served: this server has no login.")
        return
    base = server.web_app.settings["base_url"].rstrip("/")
    desks = Desks(server.config if isinstance(server, _Server) else None, Path(server.root_dir))
    server.web_app.add_handlers(  # type: ignore[no-untyped-call]
        ".*$",
        [
            (rf"{base}/autograder/mark/static/(.*)", StaticFileHandler, {"path": str(PAGE)}),
            (rf"{base}/autograder/mark", _First, {"desks": desks}),
            (rf"{base}/autograder/mark/(\w+)", _Home, {"desks": desks}),
            (rf"{base}/autograder/mark/(\w+)/(\w+)", _Api, {"desks": desks}),
        ],
    )


class _Server(ServerApp):
    """Jupyter Server with its login and nothing of what else is installed: no notebooks, terminals or files to open."""

    def find_server_extensions(self) -> None:
        """Leave it at the page."""


def serve(config: Config, sheet: str, *, port: int, browser: bool) -> None:
    """Serve the page on this machine until interrupted. Raises CourseError when it would be open to others."""
    config.ServerApp.ip = "127.0.0.1"
    config.ServerApp.allow_remote_access = False
    config.ServerApp.port, config.ServerApp.port_retries = port, 0
    config.ServerApp.allow_root = True
    config.ServerApp.open_browser = browser
    config.ServerApp.terminals_enabled = False
    config.ServerApp.default_url = f"/autograder/mark/{sheet}"
    config.ServerApp.jpserver_extensions = {"autograder.bridge.marking_page": True}
    config.ServerApp.root_dir = str(PAGE)  # its file browser is not used, and sees nothing of the course
    config.KernelSpecManager.allowed_kernelspecs = {"none"}
    app = _Server(config=config)
    app.initialize(argv=[])
    if app.ip != "127.0.0.1" or not app.identity_provider.auth_enabled:
        raise CourseError("a configuration of Jupyter on this machine takes the login away: the page is not served.")
    app.start()
