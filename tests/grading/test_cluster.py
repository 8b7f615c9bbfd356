"""A real Dask scheduler and workers on loopback; one of the workers is killed in the middle."""

import os
import subprocess
import sys
import threading

import pytest
from class_kit import hand_in, make_course, rows, solved

from autograder.bridge.gradebook_writer import Writer
from autograder.grading import batch
from autograder.grading.batch import Course, grade_class
from autograder.grading.cluster import LEAST_WIDTH, SPARE, ClusterProblem, cluster_pool
from autograder.grading.finding import find
from autograder.grading.journal import Journal

pytestmark = pytest.mark.heavy
STUDENTS = 8


@pytest.fixture
def scheduler():
    """The address of a scheduler, and a function that starts a worker and returns its process."""
    processes = []

    def start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | environment,
        )  # fmt: skip
        processes.append(process)
        return process

    process = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    address = next(line.split("Scheduler at:")[1].strip() for line in process.stderr if "Scheduler at:" in line)
    threading.Thread(target=process.stderr.read, daemon=True).start()

    def worker(**environment):
        arguments = (
            "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1",
            "--no-dashboard",
        )  # fmt: skip
        process = start(*arguments, **environment)
        for line in process.stderr:
            if "Registered to" in line:
                break
        threading.Thread(target=process.stderr.read, daemon=True).start()
        return process

    yield address, worker
    for process in reversed(processes):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def grade(course, pool, each=lambda done: None, level="auto"):
    with Journal(course) as journal, Writer(course) as writer:
        found = []
        for done in grade_class(
            Course(course, journal, writer, pool, journal.seed(7), level, window=lambda: 4),
            find([course / "submitted"]),
            feedback=False,
        ):
            found.append(done)
            each(done)
        return found


def unable(folder):
    """The environment of a worker on which nothing can be isolated."""
    (folder / "bin").mkdir()
    (folder / "bin" / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (folder / "bin" / "bwrap").chmod(0o755)
    return {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def class_for(folder, root, seconds):
    course = make_course(folder / "course", root)
    for number in range(STUDENTS):
        loss = f"y = 0.8\nimport time\ntime.sleep({seconds})\nloss = {number}"
        hand_in(course, f"s{number}", solved(root, loss=loss))
    return course


def test_a_class_is_graded_though_a_worker_is_killed_in_the_middle(scheduler, tmp_path, root):
    address, worker = scheduler
    doomed, _ = worker(), worker()
    course = class_for(tmp_path, root, 0.3)
    killed = []

    def kill_once(done):
        if not killed:
            killed.append(doomed.pid)
            doomed.kill()

    with cluster_pool(address, "auto") as (pool, _):
        done = grade(course, pool, kill_once)
    assert killed
    assert [one.problem for one in done] == [""] * STUDENTS
    assert {one.marks.points for one in done} == {23.0}
    assert {one.marks.isolation for one in done} == {"full"}
    assert len(rows(course)["submitted_assignment"]) == STUDENTS


def test_a_worker_that_cannot_isolate_refuses_work(scheduler, tmp_path):
    address, worker = scheduler
    worker(**unable(tmp_path))
    refused = pytest.raises(ClusterProblem, match="can run notebooks isolated")
    with refused, cluster_pool(address, "full"):
        pass
    worker()
    with cluster_pool(address, "full") as (pool, _):
        found = {pool.submit(os.getpid).result(timeout=600) for _ in range(6)}
    assert len(found) == 1, "work went to a worker that cannot isolate"


def test_so_many_notebooks_are_sent_out_as_the_cluster_can_run_at_that_moment(scheduler, monkeypatch):
    address, worker = scheduler
    worker()
    with cluster_pool(address, "auto") as (_, width):
        assert width() == LEAST_WIDTH
        monkeypatch.setattr("autograder.grading.cluster.LEAST_WIDTH", 1)
        assert width() == SPARE
        worker()
        assert width() == 2 * SPARE


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("autograder.grading.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(ClusterProblem, match="no scheduler answers"), cluster_pool("tcp://127.0.0.1:9", "auto"):
        pass


@pytest.mark.long
def test_a_worker_that_comes_in_the_middle_and_cannot_isolate_gets_no_work(scheduler, tmp_path, root, monkeypatch):
    """It is always free, since it could only refuse: the others must get the work all the same."""
    address, worker = scheduler
    worker()
    course, environment = class_for(tmp_path, root, 1.5), unable(tmp_path)
    late, refused = [], []
    once_more = batch._Pass._once_more

    def refusing(self, out, problem):
        refused.append(problem)
        once_more(self, out, problem)

    monkeypatch.setattr(batch._Pass, "_once_more", refusing)

    def come_late(done):
        if not late:
            late.append(worker(**environment))

    with cluster_pool(address, "full") as (pool, _):
        done = grade(course, pool, come_late, "full")
    assert late[0].poll() is None
    assert refused == []
    assert [one.problem for one in done] == [""] * STUDENTS
    assert {one.marks.isolation for one in done} == {"full"}
    assert len(rows(course)["submitted_assignment"]) == STUDENTS


@pytest.mark.long
def test_a_worker_that_comes_in_the_middle_and_can_isolate_takes_over(scheduler, tmp_path, root):
    """All others are killed: one that cannot isolate comes, gets nothing, and then one that can."""
    address, worker = scheduler
    first = worker()
    course, environment = class_for(tmp_path, root, 0.2), unable(tmp_path)
    late = []

    def replace_it(done):
        if not late:
            first.kill()
            first.wait()
            late.extend((worker(**environment), worker()))

    with cluster_pool(address, "full") as (pool, _):
        done = grade(course, pool, replace_it, "full")
    assert [one.problem for one in done] == [""] * STUDENTS
    assert {one.marks.isolation for one in done} == {"full"}
