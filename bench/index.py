"""The similarity index beside the libraries it stands on, called directly in the same run.

    python bench/index.py --quick
    python bench/index.py --only huge
    python bench/index.py | tail -1 >> bench/results.jsonl

Work is CPU time on one thread. ``index.*`` are the figures that are promised; ``DATA.KIND.*`` and
``DATA.raw_KIND.*`` stand beside them. A library's microseconds are those at the recall that ours has, read off
the best of its settings.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import run
from parts.index_data import clus, diginetica, gauss
from parts.index_huge import huge
from parts.index_ours import changed, filtered, isotropic, kinds

SMALL = 200_000


def sizes(arguments: argparse.Namespace) -> tuple[int, int]:
    """Nodes of the clustered and of the isotropic vectors."""
    return (100_000, 50_000) if arguments.quick else (1_000_000, 100_000)


def clustered(arguments: argparse.Namespace) -> dict[str, float]:
    """Kinds beside libraries on clustered vectors with log-normal lengths; the promised figures."""
    data = clus(sizes(arguments)[0])
    found = kinds("clus", data, graphs=False)
    promised = (
        "recall@20",
        "qps_over_raw_faiss",
        "qps_over_raw_scann",
        "build_over_raw_faiss",
        "bytes_over_raw_faiss",
    )
    return found | {
        f"index.{name}": found[f"clus.auto.{name}"] for name in promised if f"clus.auto.{name}" in found
    }


def graphs(arguments: argparse.Namespace) -> dict[str, float]:
    """The same with fewer nodes, HNSW among the kinds: its graph takes ten times as long to build as lists."""
    return kinds("clus_small", clus(SMALL // 2), graphs=True)


def real(arguments: argparse.Namespace) -> dict[str, float]:
    """The same on embeddings of a real graph."""
    return kinds("diginetica", diginetica(), graphs=not arguments.quick)


def worst(arguments: argparse.Namespace) -> dict[str, float]:
    """Isotropic vectors: what an index finds there, and what the automatic choice does."""
    return isotropic("gauss", gauss(sizes(arguments)[1]))


def filters(arguments: argparse.Namespace) -> dict[str, float]:
    """Search where 1, 10 and 50 % may be answered, at random and by category; owned products left out."""
    found = filtered("clus", clus(SMALL))
    return found | {"index.filtered_1pct.recall@20": found["clus.filtered_1pct.recall@20"]}


def churn(arguments: argparse.Namespace) -> dict[str, float]:
    """Recall after a tenth of the nodes was changed, added or deleted, without building again."""
    return changed("clus", clus(SMALL))


PARTS = {
    "clus": clustered,
    "graphs": graphs,
    "diginetica": real,
    "gauss": worst,
    "filters": filters,
    "churn": churn,
    "huge": huge,
}


if __name__ == "__main__":
    argv = sys.argv[1:]
    if "--only" not in argv and "--quick" in argv:
        PARTS.pop("huge")
    run("index", PARTS, argv, __doc__ or "", seeds=1)
