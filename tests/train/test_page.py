"""The examples of the pages on encoding and on tuning print what the pages say they print."""

from __future__ import annotations

import itertools
import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("page", "examples"), [("encode.md", 5), ("tune.md", 3)])
def test_the_examples_print_what_the_page_shows(
    page: str, examples: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    code = [text for kind, text in blocks if kind == "python"]
    shown = [text for (kind, _), (_, text) in itertools.pairwise(blocks) if kind == "python"]
    assert len(code) == len(shown) == examples
    (tmp_path / "example.py").write_text("\n".join(code), encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == "".join(shown)
