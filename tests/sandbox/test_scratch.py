"""Folders of a sandbox that was killed are swept; those of living ones, and other people's, stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import scratch
from autograder.sandbox.scratch import PREFIX, Scratch, sweep

OWNER = """
import sys
from autograder.sandbox.scratch import Scratch
scratch = Scratch()
print(scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "YOUNG_SECONDS", 0.0)
    return tmp_path


def test_what_a_killed_owner_leaves_is_swept_and_what_a_living_one_has_is_not(here: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(here)},
    ) as owner:  # fmt: skip
        left = Path(owner.stdout.readline().strip())
        (left / "notebook-x").mkdir()
        mine = Scratch()
        sweep()
        assert left.is_dir()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        sweep()
        assert not left.exists()
        assert mine.path.is_dir()
        mine.close()
        assert list(here.iterdir()) == []


def test_what_is_young_may_not_be_locked_yet(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "YOUNG_SECONDS", 60.0)
    (here / f"{PREFIX}new").mkdir()
    sweep()
    assert (here / f"{PREFIX}new").is_dir()


def test_links_and_other_peoples_folders_stay(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("target")
    (here / f"{PREFIX}link").symlink_to(target)
    (here / "sandbox-of-another-program").mkdir()
    (here / f"{PREFIX}file").write_text("")
    sweep()
    assert target.is_dir()
    assert len(list(here.iterdir())) == 3
