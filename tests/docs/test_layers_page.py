"""Every example of docs/layers.md is run, and prints what the page says."""

import contextlib
import io
import re

import pytest


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "layers.md").read_text(encoding="utf-8")


def run(page, title):
    section = re.split(r"^## ", page.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    said = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    names, out = {"__name__": "page"}, io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, f"docs/layers.md: {title}", "exec"), names)
    assert out.getvalue() == "".join(said)
    return names


@pytest.mark.slow
def test_layer_norm(page):
    run(page, "Layer norm")


@pytest.mark.slow
def test_attention(page):
    names = run(page, "Attention, in a test")
    names["test_attention"]()
    for slip, words in (("scaled", "the square root of d is lost"), ("rows", "softmax taken entry by entry")):
        right = names["attention_backward"]
        names["attention_backward"] = lambda *given, right=right, slip=slip, **other: right(
            *given, **{slip: False} | other
        )
        with pytest.raises(AssertionError, match=words):
            names["test_attention"]()
        names["attention_backward"] = right


@pytest.mark.slow
def test_an_activation_in_pytorch(page):
    pytest.importorskip("torch", reason="PyTorch is not installed: make crosscheck")
    run(page, "An activation in PyTorch")


def test_the_page_has_no_other_example(page):
    assert page.count("```python") == 3
