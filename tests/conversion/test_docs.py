"""The page's code runs as it stands there and prints what stands below it."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "conversion.md"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def test_the_page_is_true() -> None:
    space: dict[str, object] = {}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    for code, expected in blocks:
        said = io.StringIO()
        with redirect_stdout(said):
            exec(compile(code, PAGE.name, "exec"), space)  # noqa: S102
        assert said.getvalue() == expected
