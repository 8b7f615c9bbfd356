"""A course on a real JupyterHub, with two Unix users and nbgrader's exchange: released, fetched, submitted, returned.

`make hub` installs in .hub/ what students would have: JupyterHub, its proxy, JupyterLab, nbgrader, and nothing of this
package. The hub starts each student's server under the student's own Unix user. All of it listens on the loopback only.
"""

import contextlib
import csv
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import nbformat
import psutil
import pytest
from class_kit import solved

NAME, SHEET, COURSE = "tanh_swap", "training", "backpropagation"
HUB = Path(os.environ.get("AUTOGRADER_HUB", Path(__file__).resolve().parents[2] / ".hub"))
PROXY = HUB / "node_modules" / ".bin" / "configurable-http-proxy"

pytestmark = pytest.mark.long


def why_not():
    """What this machine lacks for the test; empty when it can run."""
    if os.geteuid() != 0:
        return "only root can make Unix users and start servers as them"
    if not (HUB / "bin" / "jupyterhub").exists() or not PROXY.exists():
        return f"there is no JupyterHub in {HUB}: type `make hub`"
    missing = [name for name in ("node", "useradd", "userdel", "runuser") if shutil.which(name) is None]
    return f"{', '.join(missing)} is not here" if missing else ""


@pytest.fixture
def users():
    """Two students with homes of their own; they are gone afterwards, with every process of theirs."""
    if reason := why_not():
        pytest.skip(reason)
    names = [f"hub{secrets.token_hex(3)}{letter}" for letter in "ab"]
    made = []
    try:
        for name in names:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", name], check=True)
            made.append(name)
        readable = subprocess.run(["runuser", "-u", names[0], "--", str(HUB / "bin" / "python"), "-V"], check=False)
        if readable.returncode != 0:
            pytest.skip(f"other users cannot run the Python in {HUB}: its folders must be readable for them")
        yield names
    finally:
        for name in made:
            number = pwd.getpwnam(name).pw_uid
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    if process.uids().real == number:  # nobody but this test has this user
                        process.kill()
                        process.wait(10)
            subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Hub:
    """A running hub, asked as a service may ask it; and its students' servers, asked as their browsers would."""

    def __init__(self, address, token):
        self.address, self.token = address, token
        self.tokens = {}

    def ask(self, method, path, content=None, token=None):
        data = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": f"token {token or self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=300) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def start(self, user):
        """Start a student's server, and wait for it."""
        self.ask("POST", f"/hub/api/users/{user}/server", {})
        end = time.monotonic() + 600
        while not (self.ask("GET", f"/hub/api/users/{user}")["servers"].get("", {}).get("ready")):
            assert time.monotonic() < end, f"the server of {user} does not start"
            time.sleep(0.5)
        self.tokens[user] = self.ask("POST", f"/hub/api/users/{user}/tokens", {})["token"]

    def browser(self, user, method, path, content=None):
        """What a student's browser asks."""
        return self.ask(method, f"/user/{user}/{path}", content, self.tokens[user])

    def assignments(self, user, action):
        """A button of nbgrader's list of assignments."""
        said = self.browser(user, "POST", f"assignments/{action}", {"course_id": COURSE, "assignment_id": SHEET})
        assert said["success"], said
        return said["value"]


CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [{command!r}]
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allowed_users = set({users!r})
c.Spawner.cmd = [{server!r}]
c.Spawner.ip = "127.0.0.1"
c.Spawner.environment = {{"JUPYTER_CONFIG_PATH": "{folder}/students"}}
c.Spawner.http_timeout = c.Spawner.start_timeout = 600
c.JupyterHub.services = [{{"name": "course", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "course", "services": ["course"], "scopes": ["admin:users", "admin:servers", "tokens", "access:servers"]}}
]
"""


@pytest.fixture
def place():
    """A folder that other users can enter; those of pytest are its own user's."""
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture
def hub(users, place, until):
    """A JupyterHub that runs students' servers as the two Unix users."""
    folder = place
    exchange = folder / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    (folder / "students").mkdir()
    (folder / "students" / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = {COURSE!r}\nc.Exchange.root = {str(exchange)!r}\n"
    )
    public, inner, proxy = free_ports(3)
    token = secrets.token_hex(16)
    (folder / "jupyterhub_config.py").write_text(
        CONFIG.format(
            public=public, hub=inner, proxy=proxy, command=str(PROXY), folder=folder, password=secrets.token_hex(16),
            users=users, server=str(HUB / "bin" / "jupyterhub-singleuser"), token=token,
        )
    )  # fmt: skip
    for name in ("students", "students/nbgrader_config.py"):
        (folder / name).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER"))}
    environment |= {"PATH": os.pathsep.join([str(HUB / "bin"), os.environ["PATH"]])}
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [str(HUB / "bin" / "jupyterhub"), "-f", str(folder / "jupyterhub_config.py")],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        found = Hub(f"http://127.0.0.1:{public}", token)

        def answers():
            assert running.poll() is None, (folder / "log").read_text()[-3000:]
            with contextlib.suppress(OSError, urllib.error.URLError):
                return found.ask("GET", "/hub/api/")

        until(answers)
        found.folder, found.exchange = folder, exchange
        yield found
    finally:
        running.send_signal(signal.SIGTERM)  # it stops its proxy and the students' servers
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            running.kill()


@pytest.fixture
def course(tmp_path, root, hub, monkeypatch):
    """The instructor's folder, which no student can read."""
    folder = tmp_path / "course"
    shutil.copytree(
        root / "source" / SHEET, folder / "source" / SHEET,
        ignore=lambda _, names: [name for name in names if name.endswith(".ipynb") and name != f"{NAME}.ipynb"],
    )  # fmt: skip
    config = (root / "nbgrader_config.py").read_text() + f"\nc.Exchange.root = {str(hub.exchange)!r}\n"
    (folder / "nbgrader_config.py").write_text(config)
    folder.chmod(0o700)

    def type_it(line):
        scripts = str(Path(sys.executable).parent)
        path = os.pathsep.join([scripts, os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=900,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(root), "COLUMNS": "120"},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return folder, type_it


def as_user(user, line, cwd):
    """What a student types in a terminal of the own server."""
    environment = f"PATH={HUB / 'bin'}:/usr/bin:/bin JUPYTER_CONFIG_PATH={cwd.parent / 'none'}"
    return subprocess.run(
        ["runuser", "-u", user, "--", "bash", "-c", f"cd {cwd} && env {environment} {line}"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_a_sheet_goes_to_two_students_of_a_hub_and_their_feedback_comes_back(hub, course, users, root):
    folder, type_it = course
    ada, bo = users
    home = {user: Path(pwd.getpwnam(user).pw_dir) for user in users}
    type_it(f"autograder release {SHEET}")
    for user in users:
        hub.start(user)
        server = psutil.Process(hub_server(user))
        assert server.username() == user
        listed = hub.browser(user, "GET", f"assignments?course_id={COURSE}")
        assert listed["success"], listed["value"]
        (listed,) = listed["value"]
        assert (listed["assignment_id"], listed["status"]) == (SHEET, "released")
        (fetched,) = hub.assignments(user, "fetch")
        assert fetched["status"] == "fetched"
        assert (home[user] / SHEET / f"{NAME}.ipynb").stat().st_uid == pwd.getpwnam(user).pw_uid

    right = solved(root, NAME)
    network = next(cell.source for cell in right.cells if cell.id == "network")
    wrong = solved(root, NAME, network=network.replace("(1 - self.A1**2)", "(1 + self.A1**2)"))
    for user, work in ((ada, right), (bo, wrong)):
        content = {"type": "notebook", "format": "json", "content": json.loads(nbformat.writes(work))}
        hub.browser(user, "PUT", f"api/contents/{SHEET}/{NAME}.ipynb", content)

    # a mistake is found in the sheet: it is mended while students are at work
    path = folder / "source" / SHEET / f"{NAME}.ipynb"
    mended = nbformat.read(path, as_version=4)
    next(cell for cell in mended.cells if cell.id == "task").source += "\n\nMended."
    nbformat.write(mended, path)
    type_it(f"autograder release {SHEET} --correct --say 'A sentence was missing.'")
    for user in users:
        config = f"--CourseDirectory.course_id={COURSE} --Exchange.root={hub.exchange}"
        got = as_user(user, f"nbgrader fetch_assignment {SHEET} --replace {config}", home[user])
        assert got.returncode == 0, got.stderr
        got = as_user(user, "python correction_1/carry_over.py", home[user] / SHEET)
        assert got.returncode == 0, got.stdout + got.stderr
        assert "A sentence was missing." in got.stdout
        sources = [cell.source for cell in nbformat.read(home[user] / SHEET / f"{NAME}.ipynb", as_version=4).cells]
        assert any(source.endswith("Mended.") for source in sources)
        assert any("np.tanh" in source for source in sources)

    for user in users:
        (submitted,) = [one for one in hub.assignments(user, "submit") if one["status"] == "submitted"]
        assert submitted["assignment_id"] == SHEET
    inbound = hub.exchange / COURSE / "inbound"  # nbgrader hides what others handed in by names that nobody can list
    assert as_user(ada, f"ls '{inbound}'", home[ada]).returncode != 0, "ada sees who has handed in"
    assert as_user(ada, f"ls '{folder}'", home[ada]).returncode != 0, "ada reads the instructor's folder"

    type_it(f"nbgrader collect {SHEET} --update")
    type_it("autograder grade submitted --gradebook")
    type_it("autograder feedback")
    type_it(f"nbgrader release_feedback {SHEET}")
    type_it("nbgrader export --to grades.csv")
    scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader((folder / "grades.csv").open())}
    assert set(scores) == set(users)
    assert scores[bo] < scores[ada] == 20.0
    for user in users:
        hub.assignments(user, "fetch_feedback")
        (page,) = (home[user] / SHEET / "feedback").rglob(f"{NAME}.html")
        assert page.stat().st_uid == pwd.getpwnam(user).pw_uid
        there = page.relative_to(home[user]).as_posix()
        text = hub.browser(user, "GET", f"api/contents/{urllib.parse.quote(there)}")["content"]
        assert ("1 + self.A1**2" in text) == (user == bo)


def hub_server(user):
    """The process of a student's server."""
    number = pwd.getpwnam(user).pw_uid
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == number and "jupyterhub-singleuser" in " ".join(process.cmdline()):
                return process.pid
    raise AssertionError(f"{user} has no server")
