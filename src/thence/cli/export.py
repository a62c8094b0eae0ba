"""``thence export``: a run's vectors and its student for other systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.base.errors import ConfigError, ThenceError, nearest
from thence.cli.console import emit, show
from thence.cli.folders import part_of
from thence.cli.options import JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.base.progress import Progress

EXAMPLE = "Example:  thence export runs/shop --to onnx --into runs/shop/onnx"
TO = ("parquet", "onnx", "qdrant", "pgvector")
SAMPLES = 256


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    to: Annotated[str, typer.Option(help="parquet, onnx (the student), qdrant or pgvector.")],
    into: Annotated[Path | None, typer.Option(help="The folder to write; of parquet and onnx.")] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Of qdrant (http://localhost:6333) or pgvector (postgresql://…)."),
    ] = None,
    name: Annotated[
        str, typer.Option(help="Collections or tables are NAME_source and NAME_target.")
    ] = "thence",
    replace: Annotated[bool, typer.Option("--replace", help="Replace those that stand there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write the model's vectors, one set a role, or its student, where other systems answer from.

    Direction is kept: what follows a product is asked of the targets with its source vector. The student is
    written only when it answers in onnxruntime as it does here.
    """
    if to not in TO:
        raise ConfigError(f"--to {to!r} is unknown", fix=nearest(to, TO))
    given, needed = (into, "--into") if to in ("parquet", "onnx") else (url, "--url")
    if given is None:
        raise ConfigError(f"--to {to} needs {needed}", fix=f"Add {needed}.")
    with progress_shown() as progress:
        if into is not None and to in ("parquet", "onnx"):
            told = _parquet(run, into) if to == "parquet" else _onnx(run, into)
        else:
            told = _pushed(run, to, str(url), name, replace, progress)
    if as_json:
        emit({"run": run, "to": to, **told})
    else:
        show(f"{given}: " + ", ".join(f"{key} {value}" for key, value in told.items()))


def _parquet(run: Path, into: Path) -> dict[str, Any]:
    from thence.encode.embeddings import Embeddings
    from thence.index.push import write_vectors

    model = Embeddings.load(part_of(run, "model"))
    write_vectors(model, into)
    return {"products": len(model.ids), "dim": model.dim}


def _onnx(run: Path, into: Path) -> dict[str, Any]:
    from thence.compress import Student
    from thence.compress.export import export_onnx
    from thence.graph.digraph import DiGraph

    student = Student.load(part_of(run, "student"))
    nodes = DiGraph.load(part_of(run, "graph")).nodes
    if nodes is None:
        raise ConfigError("there is no catalogue to compare on", where=run, fix="Ingest with --items.")
    parity = export_onnx(student, into, nodes.slice(0, SAMPLES))
    return {"dim": student.dim, "compared": min(SAMPLES, nodes.num_rows), "parity": f"{parity:.1e}"}


def _pushed(run: Path, to: str, url: str, name: str, replace: bool, progress: Progress) -> dict[str, Any]:
    from thence.encode.embeddings import Embeddings
    from thence.index.push import push_pgvector, push_qdrant

    model = Embeddings.load(part_of(run, "model"))
    with _opened(to, url) as client:
        push = push_qdrant if to == "qdrant" else push_pgvector
        return dict(push(model, client, name, replace=replace, progress=progress))


@contextmanager
def _opened(to: str, url: str) -> Iterator[Any]:
    """A client of the other system, closed afterwards; what its library says of a fault is told in one line.

    Raises:
        ConfigError: the extra is not installed, or nothing answers there.
    """
    from thence.base.library import library

    try:
        if to == "qdrant":
            library("qdrant_client", "'thence[qdrant]'")
            from qdrant_client import QdrantClient

            client: Any = QdrantClient(url=url, check_compatibility=False)
            client.get_collections()
        else:
            psycopg = library("psycopg", "'thence[pgvector]'")
            client = psycopg.connect(url, connect_timeout=10)
    except ThenceError:
        raise
    except Exception as error:  # each library has its own kinds
        fault = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(
            f"{to} does not answer: {fault}", where=url, fix="Start it, or mend --url."
        ) from error
    try:
        yield client
    finally:
        client.close()
