"""``thence recommend``: the answers for one product, in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.base.errors import ConfigError, DataError, nearest
from thence.cli.console import emit, say, show
from thence.cli.folders import part_of
from thence.cli.options import JsonFlag, K

if TYPE_CHECKING:
    from thence.serve.schemas import Related
    from thence.serve.schemas_place import Placed
    from thence.serve.store import Live

EXAMPLE = "Example:  thence recommend runs/shop 'potato chips' -k 5 --direction before"
DIRECTIONS = ("next", "before")


def recommend(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a bundle.")],
    item: Annotated[str | None, typer.Argument(help="The product's id, or words of its title.")] = None,
    title: Annotated[str | None, typer.Option(help="Of a product that the catalogue does not have.")] = None,
    k: K = 10,
    direction: Annotated[str, typer.Option(help="next: what follows it; before: what leads to it.")] = "next",
    category: Annotated[
        str | None,
        typer.Option(help="Only products in this category or below it; with --title the new product's own."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what customers want after a product, or what leads them to it, and what speaks for each.

    With --title in place of a product: of one that the catalogue lacks, by the student of thence distill.
    """
    if direction not in DIRECTIONS:
        raise ConfigError(f"--direction {direction!r} is unknown", fix=nearest(direction, DIRECTIONS))
    if (item is None) == (title is None):
        raise ConfigError(
            "name one product", fix="Give an item (its id, or words of its title), or --title for a new one."
        )
    from thence.serve import Bundle, Store
    from thence.serve.answers import related
    from thence.serve.place import Described, placed
    from thence.serve.problems import RefusedError
    from thence.serve.question import Filters, Question
    from thence.serve.schemas_place import Placed

    live = Store().publish(Bundle.load(part_of(run, "bundle")))
    way = "next" if direction == "next" else "before"
    try:
        if title is not None:
            answer = placed(live, Described(title, category, k=k, direction=way))
        else:
            answer = related(live, Question(find_item(live, item or ""), k, way, Filters(category)))
    except RefusedError as error:
        raise DataError(error.problem.error, where=run, fix=error.problem.fix) from error
    if as_json:
        emit(answer.model_dump())
    else:
        show(newcomer_table(answer) if isinstance(answer, Placed) else table(answer))


def find_item(live: Live, item: str) -> str:
    """The id that a user means: the id itself, or the best match of the words.

    Raises:
        DataError: nothing matches.
    """
    if item in live.index.ids:
        return item
    found = [live.catalogue.item(node) for node in live.catalogue.search(item, 5)]
    if not found:
        near = [live.catalogue.item(node).title for node in live.catalogue.nearest(item)]
        raise DataError(f"no product matches {item!r}", fix=nearest(item, near) if near else "Try other words.")
    if len(found) > 1:
        others = "; ".join(f"{other.title} ({other.item_id})" for other in found[1:])
        say(f"taking {found[0].title} ({found[0].item_id}); also found: {others}")
    return found[0].item_id


def newcomer_table(answer: Placed) -> str:
    """The answers for a product that the catalogue does not have, as lines of text."""
    name = answer.newcomer.title
    head = f"what would follow {name}" if answer.direction == "next" else f"what would lead to {name}"
    like = ", ".join(item.title for item in answer.alike)
    rows = [
        (str(row.rank), row.title, row.item_id, f"{row.score:.2f}", row.category or "")
        for row in answer.results
    ]
    return "\n".join(
        [f"{head}, by what is written of it ({', '.join(answer.read)})", f"like {like}", *_aligned(rows)]
    )


def table(answer: Related) -> str:
    """The answers as lines of text."""
    name = f"{answer.item.title} ({answer.item.item_id})"
    head = f"what follows {name}" if answer.direction == "next" else f"what leads to {name}"
    if answer.note is not None:
        head = f"{head}\n{answer.note}"
    if not answer.results:
        return head if answer.note is not None else f"{head}: nothing"
    rows = [(str(row.rank), row.title, row.item_id, f"{row.score:.2f}", row.why) for row in answer.results]
    return "\n".join([head, *_aligned(rows)])


def _aligned(rows: list[tuple[str, str, str, str, str]]) -> list[str]:
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{rank:>{wide[0]}}  {title:<{wide[1]}}  {id_:<{wide[2]}}  {score:>{wide[3]}}  {why}"
        for rank, title, id_, score, why in rows
    ]
