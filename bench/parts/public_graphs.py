"""Classes of nodes on public graphs: tuned message passing, transformers, and plain answers beside them.

Figures are DATA.METHOD.accuracy, or DATA.METHOD.auc where that is the benchmark's; ``.std`` over splits,
``cpu_minutes`` of one fit, ``peak_gib`` of a process that runs nothing else. Files lie in $THENCE_DATA/graphs
and $THENCE_DATA/directed. ``--seeds`` is how many splits are run, ``--methods`` and ``--data`` pick.

Splits: the files' own where they hold some (the first ``--seeds`` of ten). ``cora`` and ``citeseer`` are run
``--seeds`` times on the one draw of 20 labels a class, 500 to choose on and 1,000 to test that the published
figures stand on (``parts/planetoid.py`` writes their files); ``cora_redrawn`` and ``citeseer_redrawn`` draw
anew for each run. Published: tuned classic networks, and transformers tuned as they were, in arXiv 2406.08993.
The best step is chosen on the valid split, as there. On directed graphs GCN, SAGE and GAT look both ways.
``gcn_pyg`` and the like are the same recipe on PyTorch Geometric's layers (``parts/public_pyg.py``).
"""

from __future__ import annotations

import resource
import time
from argparse import Namespace
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Any

import torch

from common import over_seeds, say
from parts.public_pyg import PEERS, judged_by_pyg
from parts.related_data import folder
from thence.graph.benchmark import class_split, read_labelled
from thence.graph.labelled import LabelledGraph
from thence.task import LabelTask, TaskConfig
from thence.task.metric import METRICS
from thence.task.plain import label_propagation, logistic_regression, majority

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Data:
    """A public graph: where it lies and how it is trained on."""

    file: str
    metric: str = "accuracy"
    labels: int = 0
    directed: bool = False
    training: Settings = field(default_factory=dict)


FEW = {"steps": 500, "patience": 150, "validate_every": 1}
LONG = {"steps": 700, "patience": 0, "validate_every": 10, "weight_decay": 0.0, "learning_rate": 0.01}
WIKI = {"steps": 200, "patience": 0, "validate_every": 1}
CITED = Data("", labels=20, training=FEW | {"learning_rate": 1e-3, "weight_decay": 5e-4})
DATA = {
    "cora": replace(CITED, file="graphs/planetoid_cora.npz", labels=0),
    "citeseer": replace(
        CITED,
        file="graphs/planetoid_citeseer.npz",
        labels=0,
        training={**CITED.training, "weight_decay": 0.01},
    ),
    "cora_redrawn": replace(CITED, file="graphs/shchur_cora.npz"),
    "citeseer_redrawn": replace(
        CITED, file="graphs/shchur_citeseer.npz", training={**CITED.training, "weight_decay": 0.01}
    ),
    "chameleon": Data(
        "graphs/chameleon_filtered.npz", training=WIKI | {"learning_rate": 0.01, "weight_decay": 1e-3}
    ),
    "squirrel": Data(
        "graphs/squirrel_filtered.npz",
        training=WIKI | {"steps": 500, "learning_rate": 0.01, "weight_decay": 5e-4},
    ),
    "minesweeper": Data("graphs/minesweeper.npz", "auc", training=LONG),
    "tolokers": Data("graphs/tolokers.npz", "auc", training=LONG | {"steps": 300}),
    "cora_ml": replace(
        CITED, file="directed/cora_ml.npz", directed=True, training={**CITED.training, "learning_rate": 0.01}
    ),
    "citeseer_directed": replace(
        CITED,
        file="directed/citeseer.npz",
        directed=True,
        training={**CITED.training, "learning_rate": 0.01},
    ),
    "chameleon_directed": Data(
        "graphs/chameleon_filtered_directed.npz",
        directed=True,
        training=WIKI | {"learning_rate": 0.01, "weight_decay": 1e-3},
    ),
}
PLAIN = ("majority", "logistic", "propagation")
GNNS = ("mlp", "gcn", "sage", "gat")
TRANSFORMERS = ("gcn_global", "sgformer", "sgformer_published", "polynormer", "gps_linear", "nagphormer")
DIRECTED = ("dir_gcn", "dir_sage", "directed")
DIR_BARE: Settings = {"first": False, "norm": "none", "residual": False}
DIR_TUNED: Settings = {"first": False, "norm": "batch", "residual": True}
BARE, TUNED = DIR_BARE | {"way": "both"}, DIR_TUNED | {"way": "both"}
SMALL: Settings = {"dim": 64, "layers": 2, "dropout": 0.5}
SGFORMER: Settings = {"dim": 64, "layers": 4, "dropout": 0.5, "global_dropout": 0.2, "plain": True}
SETTINGS: dict[str, dict[str, Settings]] = {
    "cora": {
        "mlp": {"dim": 256, "layers": 2, "dropout": 0.7, "norm": "none"},
        "gcn": BARE | {"dim": 512, "layers": 3, "dropout": 0.7},
        "sage": BARE | {"dim": 256, "layers": 3, "dropout": 0.7, "loops": True},
        "gat": BARE | {"dim": 512, "layers": 3, "dropout": 0.2, "residual": True},
        "sgformer": SGFORMER,
        "polynormer": {"dim": 128, "layers": 3, "dropout": 0.7, "plain": True, "beta": 0.5},
        "gps_linear": {"dim": 64, "layers": 2, "dropout": 0.5},
        "nagphormer": {"dim": 64, "hops": 7, "dropout": 0.5},
    },
    "chameleon": {
        "mlp": {"dim": 256, "layers": 2, "dropout": 0.7},
        "gcn": BARE | {"dim": 512, "layers": 5, "dropout": 0.2},
        "sage": TUNED | {"dim": 256, "layers": 4, "dropout": 0.7, "loops": True},
        "gat": TUNED | {"dim": 256, "layers": 2, "dropout": 0.7},
        "sgformer": SGFORMER | {"layers": 2, "dropout": 0.6, "global_dropout": None},
        "polynormer": {"conv": "gcn", "dim": 128, "layers": 3, "dropout": 0.5},
        "gps_linear": {"dim": 64, "layers": 2, "dropout": 0.5},
        "nagphormer": {"dim": 64, "hops": 3, "dropout": 0.5},
        "dir_gcn": DIR_TUNED | {"dim": 256, "layers": 4, "dropout": 0.7},
        "dir_sage": DIR_TUNED | {"dim": 256, "layers": 4, "dropout": 0.7},
        "directed": SMALL,
    },
    "minesweeper": {
        "mlp": {"dim": 64, "layers": 3, "norm": "batch", "dropout": 0.2},
        "gcn": TUNED | {"dim": 64, "layers": 12, "dropout": 0.2},
        "sage": TUNED | {"dim": 64, "layers": 15, "dropout": 0.2, "loops": True},
        "gat": TUNED | {"dim": 64, "layers": 15, "dropout": 0.2},
        "sgformer": {"dim": 64, "layers": 8, "dropout": 0.2},
        "polynormer": {"conv": "gcn", "dim": 64, "layers": 10, "dropout": 0.2},
        "gps_linear": {"dim": 64, "layers": 8, "dropout": 0.2},
    },
}
SETTINGS["squirrel"] = SETTINGS["chameleon"] | {
    "gcn": TUNED | {"dim": 256, "layers": 4, "dropout": 0.7},
    "sage": TUNED | {"dim": 256, "layers": 3, "dropout": 0.7, "loops": True},
    "gat": TUNED | {"dim": 512, "layers": 7, "dropout": 0.5},
}
SETTINGS["citeseer"] = SETTINGS["cora"] | {
    "gcn": BARE | {"dim": 512, "layers": 2, "dropout": 0.5},
    "sage": BARE | {"dim": 512, "layers": 3, "dropout": 0.2, "loops": True},
    "gat": BARE | {"dim": 256, "layers": 3, "dropout": 0.5, "residual": True},
    "sgformer": SGFORMER | {"graph_weight": 0.7, "global_dropout": 0.3},
}
SETTINGS["cora_ml"] = {
    "mlp": SMALL | {"norm": "none"},
    "gcn": BARE | SMALL,
    "sage": BARE | SMALL | {"loops": True},
    "gat": BARE | SMALL,
    "dir_gcn": DIR_BARE | SMALL | {"dropout": 0.7},
    "dir_sage": DIR_BARE | SMALL | {"dropout": 0.7},
    "directed": SMALL | {"norm": "none", "dropout": 0.8, "channels": ("slots",), "gate": 0.0},
}
ALIKE = {"citeseer_directed": "cora_ml", "tolokers": "minesweeper"}
ALIKE |= {"cora_redrawn": "cora", "citeseer_redrawn": "citeseer", "chameleon_directed": "chameleon"}
PATIENT = FEW | {"patience": 200}
RATES: dict[tuple[str, str], Settings] = {
    ("cora", "sgformer"): PATIENT | {"learning_rate": 0.01},
    ("citeseer", "sgformer"): PATIENT | {"learning_rate": 5e-3},
    ("cora", "polynormer"): PATIENT | {"learning_rate": 0.01},
    ("citeseer", "polynormer"): PATIENT | {"learning_rate": 5e-3},
    ("citeseer", "gcn"): {"patience": 0},
    ("citeseer", "sage"): {"patience": 0},
    ("chameleon", "sgformer"): {"learning_rate": 1e-3},
    ("chameleon", "gcn"): {"learning_rate": 5e-3},
    ("squirrel", "gat"): {"learning_rate": 5e-3},
    ("minesweeper", "gcn"): {"steps": 2000},
    ("minesweeper", "gcn_global"): {"steps": 1000},
    ("minesweeper", "polynormer"): {"learning_rate": 3e-3},
    ("cora_ml", "directed"): {"weight_decay": 2e-3},
}
"""Training that differs from the data set's own, by data set and method."""
LIKE = {"gcn_global": "gcn", "sgformer_published": "sgformer"}
LIKE |= {peer: peer.removesuffix("_pyg") for peer in PEERS}
"""Methods that are trained and set as another is."""
PUBLISHED = {
    "cora": {"gcn": 85.10, "sage": 83.88, "gat": 84.46, "sgformer": 84.5},
    "citeseer": {"gcn": 73.14, "sage": 72.26, "gat": 72.22},
    "chameleon": {"gcn": 46.29, "sage": 44.81, "gat": 44.13},
    "squirrel": {"gcn": 45.01, "sage": 40.78, "gat": 41.73},
    "minesweeper": {"gcn": 97.86, "sage": 97.77, "gat": 97.73, "polynormer": 97.19},
    "tolokers": {"polynormer": 85.15},
}
"""In hundredths: classic networks as the authors of arXiv 2406.08993 list them beside their code; SGFormer as
in their table 2, which is on a draw of 20 labels a class of its own, not on the published one; Polynormer as
its authors list the first run beside their code."""


def public_graphs(arguments: Namespace) -> dict[str, float]:
    """Figures of the methods asked for on the graphs asked for, each method in a process of its own."""
    figures: dict[str, float] = {}
    chosen = getattr(arguments, "methods", None)
    for name in [name for name in arguments.data or DATA if name in DATA]:
        methods = [*PLAIN, *GNNS, *(DIRECTED if DATA[name].directed else (*PEERS, *TRANSFORMERS))]
        for method in [method for method in methods if chosen is None or method in chosen]:
            if method not in PLAIN and LIKE.get(method, method) not in SETTINGS[ALIKE.get(name, name)]:
                continue
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                found = alone.submit(measured, name, method, arguments.seeds, arguments.quick).result()
            say(f"  {name}.{method}: " + ", ".join(f"{key} {value:.4f}" for key, value in found.items()))
            figures |= {f"{name}.{method}.{key}": value for key, value in found.items()}
        for method, value in PUBLISHED.get(name, {}).items():
            figures[f"{name}.{method}.published"] = value / 100
    return figures


def measured(name: str, method: str, splits: int, quick: bool) -> dict[str, float]:
    """One method on some splits of one graph."""
    torch.set_num_threads(1)
    runs = []
    for split in range(splits):
        graph = loaded(name, split)
        begun = time.process_time()
        value = judged(name, method, graph, split, quick)
        minutes = (time.process_time() - begun) / 60
        runs.append({DATA[name].metric: value, "cpu_minutes": minutes})
        say(f"    {name}.{method} split {split}: {value:.4f} in {minutes:.2f} CPU minutes")
    figures = over_seeds(runs)
    figures.pop("cpu_minutes.std", None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return figures | {"peak_gib": peak}


def judged(name: str, method: str, graph: LabelledGraph, seed: int, quick: bool) -> float:
    """The test figure of one fit."""
    data = DATA[name]
    if method in PLAIN:
        if method == "logistic":
            scores = logistic_regression(graph, data.metric)
        else:
            scores = {"majority": majority, "propagation": label_propagation}[method](graph)
        test = graph.part("test")
        return METRICS[data.metric](graph.y[test], scores[test])
    known, like = ALIKE.get(name, name), LIKE.get(method, method)
    training = {**data.training, **RATES.get((known, method), RATES.get((known, like), {}))}
    if quick:
        training |= {"steps": 30, "validate_every": 5}
    settings = SETTINGS[known][like]
    if method in PEERS:
        return judged_by_pyg(method, graph, settings, {**training, "seed": seed}, data.metric)
    config = TaskConfig(encoder=method, settings=settings, metric=data.metric, seed=seed, **training)
    return LabelTask(config).fit(graph).evaluate(graph)[data.metric]


def loaded(name: str, split: int) -> LabelledGraph:
    """One graph with one of its splits, as its benchmark has it."""
    data = DATA[name]
    once = data.labels or data.file.startswith("graphs/planetoid")
    graph = read_labelled(folder().parent / data.file, 0 if once else split)
    if data.labels:
        graph = replace(graph, splits=class_split(graph.y, per_class=data.labels, seed=split))
    if not data.directed:
        graph = graph.undirected()
    return graph


PARTS = {"public_graphs": public_graphs}
