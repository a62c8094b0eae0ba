"""The examples of the page print what the page says they print."""

import re
import runpy
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "positions.md"


def test_the_examples_print_what_the_page_shows(tmp_path, capsys):
    blocks = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = "".join(text for language, text in blocks if language == "python")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out == "".join(text for language, text in blocks if language == "text")
