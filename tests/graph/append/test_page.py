"""The worked example of the page prints what the page says it prints."""

import re
import runpy
from pathlib import Path

from tests.graph.append.forge import scratch

PAGE = Path(__file__).parents[3] / "docs" / "append.md"


def test_the_worked_example_prints_what_the_page_shows(tmp_path, capsys, monkeypatch):
    blocks = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (language, code), (kind, shown) = blocks[:2]
    assert (language, kind) == ("python", "text")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    with scratch() as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == shown
