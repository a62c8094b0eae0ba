"""What every bench shares: its arguments, its clock, and the one JSON line that it prints last."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Part = Callable[[argparse.Namespace], Mapping[str, float]]


def run(
    name: str,
    parts: Mapping[str, Part],
    argv: Sequence[str] | None = None,
    doc: str = "",
    more: Callable[[argparse.ArgumentParser], None] | None = None,
    seeds: int = 3,
) -> None:
    """Run the parts of a bench and print their figures as one JSON line, the last that is printed."""
    arguments = parse(name, list(parts), argv, doc, more, seeds)
    begun, figures = time.perf_counter(), {}
    for part in arguments.only or parts:
        say(f"{name}: {part}")
        figures.update(parts[part](arguments))
    emit(name, arguments, begun, figures)


def emit(name: str, arguments: argparse.Namespace, begun: float, figures: Mapping[str, float]) -> None:
    """Print figures as one JSON line; ``begun`` is when their measuring began (``time.perf_counter``)."""
    line = {
        "bench": name,
        "machine": machine(),
        "commit": commit(),
        "seconds": round(time.perf_counter() - begun, 1),
        "quick": arguments.quick,
        "seeds": arguments.seeds,
        "figures": {key: round(float(value), 6) for key, value in sorted(figures.items())},
    }
    print(json.dumps(line), flush=True)


def parse(
    name: str,
    parts: list[str],
    argv: Sequence[str] | None,
    doc: str,
    more: Callable[[argparse.ArgumentParser], None] | None = None,
    seeds: int = 3,
) -> argparse.Namespace:
    """The arguments that every bench takes, and those that ``more`` adds."""
    parser = argparse.ArgumentParser(prog=f"bench/{name}.py", description=doc)
    parser.add_argument("--quick", action="store_true", help="small but honest: under 5 minutes")
    parser.add_argument("--seeds", type=int, default=None, help="how many seeds (spreads end in .std)")
    parser.add_argument("--data", nargs="+", default=None, help="names of data sets under $THENCE_DATA")
    parser.add_argument("--only", nargs="+", choices=parts, default=None, help="run these parts alone")
    if more is not None:
        more(parser)
    arguments = parser.parse_args(argv)
    arguments.seeds = arguments.seeds or (1 if arguments.quick else seeds)
    return arguments


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "gib": round(memory),
        "python": platform.python_version(),
        "system": platform.system(),
        "arch": platform.machine(),
    }


def commit() -> str:
    """The commit that was measured, with a plus sign when the working tree differs from it."""
    head = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=ROOT, capture_output=True, text=True)
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def over_seeds(measured: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Means over seeds, and the spread (standard deviation) of each beside it as ``NAME.std``."""
    runs = list(measured)
    figures: dict[str, float] = {}
    for key in runs[0]:
        values = [run[key] for run in runs]
        figures[key] = statistics.fmean(values)
        if len(values) > 1:
            figures[f"{key}.std"] = statistics.stdev(values)
    return figures


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)
