"""Whatever a labelled graph lies in, read by what it looks like."""

from __future__ import annotations

from pathlib import Path

from thence.base.errors import DataError
from thence.graph.benchmark.folders import read_ogb, read_tu
from thence.graph.benchmark.npz import read_npz
from thence.graph.labelled import LabelledGraph

KNOWN = "Give an .npz of a benchmark, a folder in OGB's form (raw/edge.csv.gz), or one of TU's (NAME_A.txt)."


def read_labelled(path: str | Path, split: int = 0) -> LabelledGraph:
    r"""A labelled graph from a file or folder of a public benchmark; nothing of it is run.

    Args:
        path: the file or folder.
        split: which of the splits that it names; the graph has none where it names none.

    Raises:
        DataError: nothing is there, nothing that is known, or no such split.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     for name, text in (("A", "1,2\n2,1\n3,4"), ("graph_indicator", "1\n1\n2\n2")):
        ...         _ = Path(tmp, f"MINE_{name}.txt").write_text(text)
        ...     _ = Path(tmp, "MINE_graph_labels.txt").write_text("-1\n1")
        ...     read_labelled(tmp)
        LabelledGraph(2 graphs, 4 nodes, 3 arcs, 0 inputs, 2 classes of graphs)
    """
    path = Path(path)
    if path.is_file() and path.suffix == ".npz":
        return read_npz(path, split)
    if path.is_dir():
        if any(path.glob("*_A.txt")):
            return read_tu(path)
        if any(
            (path / part).is_file() for part in ("raw/edge.csv.gz", "raw/edge.csv", "edge.csv.gz", "edge.csv")
        ):
            return read_ogb(path, split)
    missing = not path.exists()
    raise DataError("nothing is there" if missing else "no labelled graph that is known", where=path, fix=KNOWN)
