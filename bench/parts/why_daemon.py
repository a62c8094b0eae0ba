"""Why DAEMON loses as published, one change at a time on amazon_grocery, judged on validation arcs.

Each line adds one change to the line named in it; ``untrained`` is what its layers know before any training.
Figures: ``amazon_grocery.why_daemon.LINE.{HR@10,MRR@10,HR@10.low_degree,…}``. Runs are short (``STEPS`` steps
of 1,024 arcs, the better of two looks), so they tell what matters and not how far each setting gets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import say
from parts.neighborhoods import grocery, hit_rates, judge
from thence.encode.peer.daemon import DaemonConfig, DaemonEncoder
from thence.graph import DiGraph
from thence.train.fit import scorer_of
from thence.train.recipes import fit_recipe

STEPS = 200
FAST: dict[str, Any] = {"learning_rate": 1e-2}
NOISE: dict[str, Any] = {"redraw": 5}
WARM: dict[str, Any] = {**NOISE, "temperature": 0.1}
FREE: dict[str, Any] = {**NOISE, "inputs": "learned"}
SELF: dict[str, Any] = {**FREE, "temperature": 0.1, "self_term": True}
LINES: Mapping[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "published": ("daemon", {}, NOISE),
    "published_category": ("daemon", {}, NOISE),
    "rate": ("daemon", FAST, NOISE),
    "rate_free": ("daemon", FAST, FREE),
    "rate_temperature": ("daemon", FAST, WARM),
    "softmax": ("daemon_tuned", FAST, WARM),
    "softmax_free": ("daemon_tuned", FAST, {**FREE, "temperature": 0.1}),
    "softmax_free_self": ("daemon_tuned", FAST, SELF),
    "softmax_free_self_bias": ("daemon_tuned", FAST, {**SELF, "bias": True}),
    "two_layers": ("daemon_tuned", FAST, {**SELF, "bias": True, "fan_outs": (20, 10)}),
    "one_layer": ("daemon_tuned", FAST, {**SELF, "bias": True, "fan_outs": (20,)}),
}
"""By name: the recipe, what differs in training, and the encoder's settings."""


def figures(quick: bool, lines: tuple[str, ...] = tuple(LINES)) -> dict[str, float]:
    """The table."""
    graph, valid, _ = grocery(0)
    bare = DiGraph(graph.ids, graph.relations)  # without a catalogue everything starts from noise
    found = _named("untrained", hit_rates(scorer_of(DaemonEncoder(bare, DaemonConfig()), bare), valid))
    steps = 50 if quick else STEPS
    for name in lines:
        recipe, train, settings = LINES[name]
        seen = graph if name.endswith("category") else bare
        train = {"steps": steps, "validate_every": steps // 2, "schedule": "constant", **train}
        scorer = fit_recipe(recipe, seen, validate=judge(valid), train=train, settings=settings)
        found |= _named(name, hit_rates(scorer, valid))
    return found


def _named(line: str, rates: dict[str, float]) -> dict[str, float]:
    say(f"why daemon: {line}: {rates['HR@10']:.4f}")
    return {f"amazon_grocery.why_daemon.{line}.{key}": value for key, value in rates.items()}


if __name__ == "__main__":
    print(json.dumps(figures(sys.argv[1:2] == ["quick"], tuple(sys.argv[2:]) or tuple(LINES))))
