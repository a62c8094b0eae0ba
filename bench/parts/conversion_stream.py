"""A world of the Criteo log's size, one epoch of 30 streamed days, in a process of its own.

python -m parts.conversion_stream EXPOSURES      from the folder bench; prints one JSON line
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

DAYS, FIRST = 30, 31
FULL, QUICK = 16_000_000, 1_000_000


def figures(quick: bool) -> dict[str, float]:
    """Seconds and peak memory of the child."""
    command = [sys.executable, "-m", "parts.conversion_stream", str(QUICK if quick else FULL)]
    told = subprocess.run(
        command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, check=True, text=True
    )
    return {f"stream.{name}": value for name, value in json.loads(told.stdout.splitlines()[-1]).items()}


def main(count: int) -> None:
    """Make the world, then predict and learn day by day; everything is on two threads."""
    import torch

    from parts.conversion_data import SHAPES
    from thence.conversion.delayed import Protocol, make
    from thence.conversion.learn import LearnConfig
    from thence.conversion.sources.simulated import criteo_world
    from thence.conversion.stream import Stream, StreamConfig
    from thence.events.clock import DAY, HOUR

    torch.set_num_threads(2)
    begun, cpu = time.perf_counter(), time.process_time()
    study = criteo_world(size=count)
    made, made_cpu, world_peak = time.perf_counter() - begun, time.process_time() - cpu, peak_gib()
    shown = study.exposures
    start = study.start - (35 - FIRST) * DAY
    learn = LearnConfig(4096, passes=1, visits=1.0)
    config = StreamConfig(start, DAY, net=SHAPES["mlp"], learn=learn)
    estimator = make("es_dfm_exact", Protocol(HOUR, shown.window))
    begun, cpu = time.perf_counter(), time.process_time()
    stream = Stream(shown, estimator, config)
    stream.begin()
    predicted = 0
    for day in range(DAYS):
        predicted += len(stream.predict()[0])
        stream.refresh()
        print(f"stream: day {day + 1} of {DAYS}, {peak_gib():.2f} GiB", file=sys.stderr, flush=True)
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    told = {
        "exposures": len(shown),
        "world_seconds": made,
        "world_cpu_seconds": made_cpu,
        "world_peak_gib": world_peak,
        "seconds": wall,
        "cpu_seconds": cpu,
        "peak_gib": peak_gib(),
        "gradient_rows": stream.trained,
        "predicted": predicted,
        "gradient_rows_per_cpu_second": stream.trained / cpu,
    }
    print(json.dumps(told))


def peak_gib() -> float:
    """The most memory that this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(int(sys.argv[1]))
