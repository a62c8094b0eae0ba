"""Draw ``docs/assets/engine-cost.png`` from ``bench/results.jsonl``: what work costs from 10⁵ to 10⁸ arcs."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
CURVES = {
    "build.arcs_1e{}.cpu_seconds": ("making arcs from counted pairs (on disk from 8 M)", "CPU seconds"),
    "ppr.arcs_1e{}.cpu_ms_per_seed": ("PageRank of one seed by push", "CPU milliseconds"),
}


def main() -> None:
    """Read the newest value of each figure, draw one panel a curve."""
    figures: dict[str, float] = {}
    for line in (HERE / "results.jsonl").read_text().splitlines():
        figures.update(json.loads(line)["figures"])
    canvas, panels = plt.subplots(1, len(CURVES), figsize=(9, 3.4), layout="constrained")
    for panel, (name, (title, unit)) in zip(panels, CURVES.items(), strict=True):
        powers = [power for power in range(5, 9) if name.format(power) in figures]
        arcs, cost = [10**power for power in powers], [figures[name.format(power)] for power in powers]
        panel.loglog(arcs, cost, "o-", color="#3949ab", label="measured")
        if name.startswith("build"):
            line = [cost[-1] * count / arcs[-1] for count in arcs]
            panel.loglog(arcs, line, "--", color="#9e9e9e", label="proportional to arcs")
            panel.legend(frameon=False)
        else:
            panel.set_ylim(0.01, 10)
        panel.set(title=title, xlabel="arcs in the graph", ylabel=unit)
        panel.spines[["top", "right"]].set_visible(False)
    canvas.savefig(HERE.parent / "docs/assets/engine-cost.png", dpi=130)


if __name__ == "__main__":
    main()
