"""Names and paths are printed as they are, whatever is in them."""

import io

import pytest
from rich.console import Console

from autograder.cli import main
from autograder.console import printable, say

ODD = ("[/x]", "[bold]", "[link=http://x]", "a\x1b[2Jb", "\udcff", "a\\[b", "[red")


@pytest.mark.parametrize("name", ODD)
def test_a_text_is_printed_as_it_stands(name):
    found = io.StringIO()
    say(f"{name} is missing, " + "x" * 200, to=Console(file=found, width=40))
    assert found.getvalue() == f"{printable(name)} is missing, " + "x" * 200 + "\n"


@pytest.mark.parametrize("name", ODD[:4])
@pytest.mark.parametrize(
    "command",
    [
        ["grade", "{}"],
        ["collect", "{}"],
        ["viva", "training", "--student", "{}"],
        ["viva", "{}"],
        ["export", "{}"],
        ["report", "{}"],
        ["feedback", "{}"],
        ["hint", "{}", "a text"],
        ["forget", "{}"],
        ["return", "training", "--like", "{}"],
        ["release", "{}"],
        ["requests", "add", "{}", "--student", "ada"],
        ["numbers", "{}"],
        ["remark", "--root", "{}"],
        ["new", "{}", "--sheet", "training"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_ends_with_a_sentence_and_no_traceback(command, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main([argument.format(name) for argument in command]))
    assert ended.value.code in (1, 2)
    assert capsys.readouterr().err
