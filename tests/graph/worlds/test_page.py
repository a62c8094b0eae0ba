"""The worked example of the page prints what the page says it prints."""

import re
import runpy
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "long-range.md"


def test_the_worked_example_prints_what_the_page_shows(tmp_path, capsys):
    blocks = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (language, code), (kind, shown) = blocks[:2]
    assert (language, kind) == ("python", "text")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == shown
