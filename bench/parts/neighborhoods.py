"""Which neighbourhoods help whom: one model, one loss, one budget, and only the kind of neighbourhood differs.

The model is the tuned BLADE-style encoder on amazon_grocery's also-bought arcs (75/5/20, train arcs seen, the
best step by validation, test arcs judged with train and validation arcs filtered). Every kind may look at
``FAN_OUT`` nodes. Figures: ``amazon_grocery.ablation.KIND.HR@10``, and ``.low_degree``, ``.mid_degree``,
``.high_degree`` by thirds of the queries' out-degree.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import over_seeds, say
from parts.related_data import MAIN, VIEWED, load_graph
from thence.encode.neighborhood import Neighborhood
from thence.evaluate.cases import Cases, arc_cases
from thence.evaluate.ranking import rank_cases
from thence.evaluate.slices import slices
from thence.graph import Arcs, DiGraph
from thence.graph.sample import Reach
from thence.graph.split import split_arcs
from thence.train.recipes import fit_recipe

FAN_OUT, LAYERS, STEPS, CASES = 20, 1, 300, 4_000
NEAR = Neighborhood("adaptive", fan_out=FAN_OUT, least=10, combine="sum")
KINDS: Mapping[str, Neighborhood] = {
    "uniform": replace(NEAR, kind="uniform"),
    "weighted": replace(NEAR, kind="weighted"),
    "radius": replace(NEAR, kind="radius"),
    "adaptive": NEAR,
    "radius_alternate": replace(NEAR, kind="radius", walk="alternate", reach=Reach(length=8)),
    "adaptive_alternate": replace(NEAR, walk="alternate", reach=Reach(length=8)),
    "strongest": replace(NEAR, kind="strongest"),
}


def figures(quick: bool, seeds: int = 1, kinds: tuple[str, ...] = tuple(KINDS)) -> dict[str, float]:
    """The ablation, over some seeds of split and training."""
    measured = []
    for seed in range(1 if quick else seeds):
        graph, valid, test = grocery(seed)
        found: dict[str, float] = {}
        for kind in kinds:
            scorer = trained(graph, KINDS[kind], valid, 100 if quick else STEPS, seed)
            found |= {f"amazon_grocery.ablation.{kind}.{key}": v for key, v in hit_rates(scorer, test).items()}
            say(f"ablation: {kind}: {found[f'amazon_grocery.ablation.{kind}.HR@10']:.4f}")
        measured.append(found)
    return over_seeds(measured)


def trained(graph: DiGraph, near: Neighborhood, valid: Cases, steps: int, seed: int) -> Any:
    """The tuned encoder with these neighbourhoods."""
    settings = {
        "dim": 64,
        "layers": LAYERS,
        "neighborhood": near,
        "redraw": 20,
        "inputs": "learned",
        "self_term": True,
        "temperature": 0.1,
        "bias": True,
    }
    return fit_recipe(
        "blade_tuned", graph, validate=judge(valid), train={"steps": steps}, settings=settings, seed=seed
    )


def grocery(seed: int, num: int = CASES) -> tuple[DiGraph, Cases, Cases]:
    """What a method may see, validation cases and test cases; also-viewed arcs are all known."""
    whole = load_graph("amazon_grocery")
    split = split_arcs(whole.main, (0.75, 0.05, 0.20), seed)
    known = Arcs.from_pairs(
        *np.concatenate([split.train.pairs, split.valid.pairs], axis=1), num_nodes=whole.num_nodes
    )
    graph = DiGraph(whole.ids, {MAIN: split.train, VIEWED: whole[VIEWED]}, whole.nodes)
    valid = arc_cases(split.valid, split.train, whole.main).sample(num, seed)
    return graph, valid, arc_cases(split.test, known, whole.main).sample(3 * num, seed)


def judge(cases: Cases) -> Callable[[Any], float]:
    """HR@10, to stop by."""
    return lambda scorer: hit_rates(scorer, cases)["HR@10"]


def hit_rates(scorer: Any, cases: Cases) -> dict[str, float]:
    """HR@10 and MRR@10 of all cases, and HR@10 by degree of the query and of one-way arcs."""
    rank = rank_cases(scorer, cases, 1).rank
    hit = rank <= 10
    found = {"HR@10": float(hit.mean()), "MRR@10": float(np.where(hit, 1 / rank, 0.0).mean())}
    return found | {f"HR@10.{part.name}": float(hit[part.keep].mean()) for part in slices(cases)}


if __name__ == "__main__":
    chosen = tuple(sys.argv[2:]) or tuple(KINDS)
    print(json.dumps(figures(sys.argv[1:2] == ["quick"], kinds=chosen)))
