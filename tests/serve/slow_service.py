"""A service that loads when it is told to and answers about items slowly. Run by test_life.py."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

from thence.serve import Bundle, answers, run

load, one_item = Bundle.load, answers.one_item


def serve(folder: Path, port: int) -> None:
    number = itertools.count()

    def waits(where: Path) -> Bundle:
        while not (folder.parent / "load").exists():
            time.sleep(0.01)
        return load(where)

    def slowly(*asked: Any) -> Any:
        (folder.parent / f"asked{next(number)}").touch()
        time.sleep(1.0)
        return one_item(*asked)

    Bundle.load = waits  # type: ignore[method-assign,assignment]
    answers.one_item = slowly
    run(folder, port=port, token="0123456789abcdef", log="json")


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
