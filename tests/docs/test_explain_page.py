"""Every example of docs/explain.md is run, and every command says what the page says."""

import re
import shlex

import pytest

from autograder.cli import main
from autograder.diagnosis.assembled import NORMS
from autograder.diagnosis.layers import LAYERS
from autograder.diagnosis.optimisers import OPTIMISERS


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "explain.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_examples_say_what_the_page_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(python|sh|text)\n(.*?)```", page, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "sh", "text"] * 3
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, "docs/explain.md", "exec"), {})
        elif kind == "sh":
            program, *arguments = shlex.split(text)
            assert program == "autograder"
            assert main(arguments) == 0
        else:
            assert capsys.readouterr().out == text


def test_the_tables_name_every_layer_and_what_each_takes(page):
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    known = {}
    for row in rows:
        for name in re.findall(r"`([\w-]+)`", row[1]):
            known[name] = (
                set(re.findall(r"`(\w+)`", row[2])),
                set(re.findall(r"`(\w+)`", row[3])) if len(row) > 4 else (),
            )
    for name, (_, needed, optional) in LAYERS.items():
        assert set(needed) == known[name][0] - {"g"}, name
        assert set(optional) == set(known[name][1]), name
    assert set(OPTIMISERS) <= set(known)
    assert all(norm in page for norm in NORMS)
