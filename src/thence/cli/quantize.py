"""``thence quantize``: the model in fewer bytes, and what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.base.errors import ConfigError, DataError, FitError, nearest
from thence.cli.console import emit, say, show
from thence.cli.options import JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.base.progress import Progress
    from thence.cli.forms import Subject
    from thence.compress.quantize import QuantizedEmbeddings
    from thence.evaluate.tradeoff import Form

EXAMPLE = "Example:  thence quantize runs/shop --kind int8"
AUTO = "auto"
POOL = 60


def quantize(
    run: Annotated[Path, typer.Argument(help="A run's folder, with log, graph and model inside.")],
    kind: Annotated[
        str, typer.Option(help="auto tries all and keeps the smallest that is good enough.")
    ] = AUTO,
    recall: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="With auto: share of the exact lists that must be found.")
    ] = 0.97,
    as_json: JsonFlag = False,
) -> None:
    """Keep a run's model in fewer bytes, beside the model; every kind's loss is measured and drawn.

    Which kind auto keeps is chosen by the model's own lists: no case of the test period has a say.
    """
    from thence.cli.forms import Subject

    check_codes(kind)
    subject = Subject.open(run)
    with progress_shown() as progress:
        kept, forms = coded(subject, kind, recall, progress)
    table = subject.tradeoff(*forms)
    if as_json:
        emit({"run": run, "kind": kept.kind, "bytes": kept.bytes, **kept.metrics})
    else:
        times = f"{kept.metrics['bytes_ratio']:.1f} times smaller"
        show(f"{run / 'quantized'}: {kept.kind}, {times}, recall@20 {kept.metrics['recall@20']:.3f}")
        show(table.text())
        show(f"accuracy against size and time: {run / 'tradeoff' / 'tradeoff.html'}")


def check_codes(kind: str) -> None:
    """Raise ConfigError unless ``kind`` is ``"auto"`` or one of the kinds of codes."""
    from thence.compress.quantize import KINDS

    if kind not in (AUTO, *KINDS):
        raise ConfigError(f"unknown kind of codes {kind!r}", fix=nearest(kind, (AUTO, *KINDS)))


def coded(
    subject: Subject, kind: str, recall: float, progress: Progress
) -> tuple[QuantizedEmbeddings, list[Form]]:
    """Keep the model in fewer bytes, write ``quantized``, and judge all that was tried."""
    made = _all(subject, progress) if kind == AUTO else {kind: _made(subject, kind, progress)}
    kept = made[_smallest(made, recall, subject.folder) if kind == AUTO else kind]
    kept.save(subject.folder / "quantized")
    return kept, [form for small in made.values() for form in _forms(subject, small)]


def _all(subject: Subject, progress: Progress) -> dict[str, QuantizedEmbeddings]:
    """Every kind that these embeddings can be kept in; the others are told of."""
    from thence.compress.quantize import KINDS

    made = {}
    for name in KINDS:
        try:
            made[name] = _made(subject, name, progress)
        except (ConfigError, DataError) as error:  # too few products to fit prototypes to, say
            say(f"without {name}: {error.what}")
    return made


def _made(subject: Subject, kind: str, progress: Progress) -> QuantizedEmbeddings:
    from thence.compress.quantize import quantize

    return quantize(subject.model, kind, progress=lambda _, done, total: progress(kind, done, total))


def _forms(subject: Subject, small: QuantizedEmbeddings) -> list[Form]:
    """A kind as it stands, and with its best 60 scored again by the whole vectors, which may stay on disk."""
    from thence.cli.forms import Lists
    from thence.index.exact import top_k

    again = small.rescored(subject.model, POOL)
    return [
        subject.form(small.kind, "codes", Lists(lambda nodes, k: top_k(small, nodes, k)), small.bytes),
        subject.form(
            f"{small.kind}, re-scored", "codes", Lists(lambda nodes, k: top_k(again, nodes, k)), small.bytes
        ),
    ]


def _smallest(made: dict[str, QuantizedEmbeddings], recall: float, run: Path) -> str:
    good = [name for name, small in made.items() if small.metrics["recall@20"] >= recall]
    if not good:
        best = max(made, key=lambda name: made[name].metrics["recall@20"])
        raise FitError(
            f"no kind finds {recall:.0%} of the exact lists; {best}: {made[best].metrics['recall@20']:.1%}",
            where=run,
            fix="Give a lower --recall, or name a --kind.",
        )
    return min(good, key=lambda name: made[name].bytes)
