"""What arcs between alike products do for a recommender: with them, without, and with random ones.

The trained dual encoder fits the same split of the arcs for the same steps: on the graph as it is (``none``);
with a relation of the ten most alike of each product by the catalogue (``alike``), where each has to have found
the other (``mutual``), within its category where there are categories (``within``); with as many arcs drawn at
random (``random``). HR@10 on test arcs, all nodes ranked. Steps are fixed, so nothing is chosen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

import numpy as np

from common import over_seeds, say
from parts.related_data import load_graph
from parts.related_tasks import of_arcs
from thence.evaluate import hit_rate
from thence.graph import Arcs, DiGraph
from thence.index.similar import feature_vectors, similarity_arcs
from thence.train.recipes import fit_recipe

DATA, K, STEPS, DIM = ("cora_ml", "citeseer", "amazon_grocery"), 10, 120, 64


def similar(arguments: argparse.Namespace) -> dict[str, float]:
    """Figures ``similar.DATA.{none, alike, mutual, within, random}.{HR@10, arcs, seconds, build_seconds}``."""
    figures: dict[str, float] = {}
    for data in arguments.data or (DATA[:1] if arguments.quick else DATA):
        whole = load_graph(data)
        found = over_seeds(_measured(whole, seed, arguments.quick) for seed in range(arguments.seeds))
        figures |= {f"similar.{data}.{key}": value for key, value in found.items()}
    return figures


PARTS = {"similar": similar}


def _measured(whole: DiGraph, seed: int, quick: bool) -> dict[str, float]:
    task, figures = of_arcs(whole, seed, leak_free=False, quick=quick), {}
    for name, arcs, build in _relations(whole, seed):
        graph = task.refit_on if arcs is None else task.refit_on.with_relation("alike", arcs)
        begun = time.process_time()
        scorer = fit_recipe(
            "dual", graph, settings={"dim": DIM, "layers": 1}, train={"steps": STEPS}, seed=seed
        )
        figures |= {
            f"{name}.HR@10": hit_rate(scorer, task.test),
            f"{name}.seconds": time.process_time() - begun,
            f"{name}.build_seconds": build,
            f"{name}.arcs": 0 if arcs is None else arcs.num_arcs,
        }
        say(f"  seed {seed}, {name}: {figures[f'{name}.HR@10']:.4f}")
    return figures


def _relations(whole: DiGraph, seed: int) -> list[tuple[str, Arcs | None, float]]:
    """Each way's relation, and the CPU seconds that it took to make."""
    assert whole.nodes is not None
    vectors, made = feature_vectors(whole.nodes), []
    ways: dict[str, Mapping] = {"alike": {}, "mutual": {"mutual": True}}
    if "category" in whole.nodes.column_names:
        kinds = whole.nodes["category"].combine_chunks().dictionary_encode().indices.fill_null(-1)
        ways["within"] = {"groups": kinds.to_numpy(zero_copy_only=False)}
    for name, settings in ways.items():
        begun = time.process_time()
        arcs = similarity_arcs(vectors, K, **settings)
        made.append((name, arcs, time.process_time() - begun))
    random, count = np.random.default_rng(seed), made[0][1].num_arcs // 2
    pairs = random.integers(0, whole.num_nodes, (2, count))
    pairs = np.unique(np.sort(pairs[:, pairs[0] != pairs[1]], axis=0), axis=1)
    both = np.concatenate([pairs, pairs[::-1]], axis=1)
    return [
        ("none", None, 0.0),
        *made,
        ("random", Arcs.from_pairs(*both, num_nodes=whole.num_nodes, directed=False), 0.0),
    ]
