"""The page's code and commands run as they stand there and print what stands below them."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from thence.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "decide.md"
BLOCK = re.compile(r"```(python|sh)\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def run(language: str, code: str, space: dict[str, object]) -> None:
    if language == "python":
        exec(compile(code, PAGE.name, "exec"), space)  # noqa: S102
        return
    for line in code.splitlines():
        try:
            main(shlex.split(line)[1:])
        except SystemExit as end:
            assert not end.code, line


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    told = [
        block for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if block[0] == "python" or block[2]
    ]
    assert [language for language, _, _ in told] == ["python", "python", "python", "sh", "sh", "python"]
    for language, code, expected in told:
        said = io.StringIO()
        with redirect_stdout(said):
            run(language, code, space)
        assert re.sub(r"(version|policy) [0-9a-f]{12}", r"\1 …", said.getvalue()) == expected
