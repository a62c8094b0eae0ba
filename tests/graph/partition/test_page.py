"""The worked examples of the pages on structure print what the pages say they print."""

import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", ["partition", "sparsify"])
def test_the_worked_example_prints_what_the_page_shows(tmp_path, capsys, name):
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    (language, code), (kind, shown) = blocks[:2]
    assert (language, kind) == ("python", "text")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == shown
