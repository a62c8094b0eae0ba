"""``thence distill``: a student that answers for products that no graph knows, by what is written of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.base.errors import DataError
from thence.cli.console import emit, show
from thence.cli.options import ConfigFile, JsonFlag, Set
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    import numpy as np

    from thence.base.progress import Progress
    from thence.cli.forms import Subject
    from thence.cli.settings import RunConfig
    from thence.compress import Student
    from thence.evaluate.tradeoff import Form
    from thence.index.neighbors import Neighbors

POSITION = 512
"""Random columns of each look at the neighbourhood."""
EXAMPLE = "Example:  thence distill runs/shop --set distill.steps=200"


def distill(
    run: Annotated[Path, typer.Argument(help="A run's folder, with log, graph and model inside.")],
    config: ConfigFile = None,
    values: Set = None,
    as_json: JsonFlag = False,
) -> None:
    """Teach an MLP what a run's model knows; the bundle answers for new products by it from now on.

    The student reads titles, categories and the rest of the catalogue. It needs no graph, so that a product
    that nobody has bought yet gets its directed neighbours: thence recommend RUN --title "..." --category "..."
    """
    from thence.cli.forms import Subject
    from thence.cli.settings import read_settings

    settings = read_settings(config, values or [])
    subject = Subject.open(run)
    with progress_shown() as progress:
        student, forms = taught(subject, settings, progress)
    table = subject.tradeoff(*forms)
    if as_json:
        emit({"run": run, "dim": student.dim, "numbers": student.size, **_left_out(student)})
    else:
        show(f"{run / 'student'}: {student!r}")
        show(table.text())
        show(f"accuracy against size and time: {run / 'tradeoff' / 'tradeoff.html'}")


def taught(subject: Subject, settings: RunConfig, progress: Progress) -> tuple[Student, list[Form]]:
    """Teach a student, write ``student``, lay it into the bundle, and judge it.

    Raises:
        DataError: there is no catalogue to read.
    """
    from thence.compress import fit_student, position_features

    graph, seed = subject.graph, settings.train.seed
    if graph.nodes is None:
        raise DataError("there is no catalogue to read", where=subject.folder, fix="Ingest with --items.")
    position = position_features(graph, dim=POSITION, seed=seed)
    student = fit_student(
        graph, subject.model, settings.distill, position=position, seed=seed, progress=progress
    )
    student.save(subject.folder / "student")
    subject.into_bundle(student=student)
    return student, _forms(subject, student, position)


def _forms(subject: Subject, student: Student, position: np.ndarray) -> list[Form]:
    """The student as it is served: its vectors ask, the model's own answer.

    Once it sees words and positions, once words alone, as if nobody had ever bought what is asked.
    """
    from thence.cli.forms import Lists
    from thence.index.exact import ExactIndex

    nodes = subject.graph.nodes
    assert nodes is not None
    index = ExactIndex(student.completed(subject.model, nodes, []))
    size = 4 * (student.size + index.embeddings.target.size)
    made = []
    for name, known in (("student", position), ("student, words alone", None)):
        asking = student.embed(nodes, known).source

        def lists(asked: np.ndarray, k: int, asking: np.ndarray = asking) -> Neighbors:
            found = index.search_vectors(asking[asked], k, exclude=list(asked[:, None]))
            return replace(found, query=asked)

        made.append(subject.form(name, "student", Lists(lists), size, same=False))
    return made


def _left_out(student: Student) -> dict[str, object]:
    return {name: value for name, value in student.info.items() if isinstance(value, int | float)}
