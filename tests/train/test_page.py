"""The examples of the page print what the page says they print."""

from __future__ import annotations

import itertools
import re
import runpy
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "encode.md"


def test_the_examples_print_what_the_page_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = [text for kind, text in blocks if kind == "python"]
    shown = [text for (kind, _), (_, text) in itertools.pairwise(blocks) if kind == "python"]
    assert len(code) == len(shown) == 5
    (tmp_path / "example.py").write_text("\n".join(code), encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == "".join(shown)
