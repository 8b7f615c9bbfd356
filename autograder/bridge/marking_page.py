"""The marking page: Jupyter Server's Tornado and login in front of a :class:`Desk`. Everything is on this machine."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets import Bool, Float, Unicode
from traitlets.config import Config, Configurable

from autograder.bridge.marking import Conflict, Desk
from autograder.course import CourseError
from autograder.exercise import SHEETS

PAGE = Path(__file__).with_name("page")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing but the page's own script runs and nothing is loaded from elsewhere; styles stand in drawn formulas."""

MOST = 1_000_000
"""Most bytes of a request."""


class MarkingPage(Configurable):
    """Settings of the page."""

    sheet = Unicode("", help="The sheet that is opened first.").tag(config=True)
    marker = Unicode("", help="Who marks; the user of this machine by default.").tag(config=True)
    names = Bool(False, help="Show names of students.").tag(config=True)
    second = Float(0.0, help="Share of answers for a blind second marker.").tag(config=True)


class Desks:
    """One desk for each sheet, opened when it is asked for."""

    def __init__(self, config: Config, settings: MarkingPage) -> None:
        """Open nothing yet."""
        self.desk: Callable[[str], Desk] = cache(
            lambda sheet: Desk(
                config, sheet, settings.marker or getpass.getuser(), names=settings.names, share=settings.second
            )
        )


class _Handler(JupyterHandler):
    def initialize(self, desks: Desks) -> None:
        self.desks = desks

    @property
    def content_security_policy(self) -> str:
        return POLICY

    def desk(self, sheet: str) -> Desk:
        if sheet not in SHEETS:
            raise HTTPError(404)
        return self.desks.desk(sheet)


class _Home(_Handler):
    @authenticated
    def get(self, sheet: str) -> None:
        self.desk(sheet)
        self.xsrf_token  # noqa: B018  (sets the cookie that the page sends back)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish((PAGE / "mark.html").read_text(encoding="utf-8").replace("{{sheet}}", sheet))


class _Api(_Handler):
    """What the page asks and says, as JSON."""

    @authenticated
    def get(self, sheet: str, what: str) -> None:
        desk, ask = self.desk(sheet), self.get_query_argument
        try:
            if what == "overview":
                self._say({"parts": desk.overview(), "marker": desk.marker, "second": desk.share})
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
    base = server.web_app.settings["base_url"].rstrip("/")
    desks = Desks(server.config, MarkingPage(config=server.config))
    server.web_app.add_handlers(  # type: ignore[no-untyped-call]
        ".*$",
        [
            (rf"{base}/autograder/mark/static/(.*)", StaticFileHandler, {"path": str(PAGE)}),
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
