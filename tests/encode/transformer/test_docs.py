"""The page's code runs as it stands there and prints what stands below it."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "transformers.md"
BLOCK = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)


def test_the_page_is_true() -> None:
    told = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(told) == 2
    for code, expected in told:
        said = io.StringIO()
        with redirect_stdout(said):
            exec(compile(code, PAGE.name, "exec"), {})  # noqa: S102
        assert said.getvalue() == expected
