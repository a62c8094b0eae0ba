"""Where the parts of a run lie.

::

    runs/shop/
      log/         EventLog
      graph/       DiGraph, of what was known before the test period
      model/       Embeddings
      encoder/     the encoder behind them where one was trained, from which thence train --from goes on
      report/      Report, with report.html inside
      bundle/      Bundle: what the service opens
"""

from __future__ import annotations

from pathlib import Path

from thence.base.errors import ArtifactError

PARTS = ("log", "graph", "model", "encoder", "reranker", "student", "index", "quantized", "report", "bundle")


def part_of(folder: Path, part: str) -> Path:
    """The folder of one part: ``folder`` itself when it is an artifact, else the part of the run that it is.

    Raises:
        ArtifactError: it is neither.

    Example:
        >>> part_of(Path("nowhere"), "bundle")
        Traceback (most recent call last):
        thence.base.errors.ArtifactError: no run and no artifact there (in nowhere). Make ...
    """
    from thence.base.artifact import MANIFEST

    if (folder / MANIFEST).is_file() or (folder.parent / f".{folder.name}.old").is_dir():
        return folder
    if (folder / part / MANIFEST).is_file():
        return folder / part
    if not folder.exists():
        raise ArtifactError(
            "no run and no artifact there", where=folder, fix="Make one with: thence run config.toml"
        )
    have = [name for name in PARTS if (folder / name / MANIFEST).is_file()]
    told = f"this run has {', '.join(have)}" if have else "it is no run's folder"
    raise ArtifactError(f"there is no {part!r}: {told}", where=folder)
