"""``thence positions``: where each product stands in a graph, as columns that an encoder can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.base.errors import ArtifactError, ConfigError
from thence.cli.console import emit, show
from thence.cli.options import Into, JsonFlag

if TYPE_CHECKING:
    from thence.graph.arcs import Arcs
    from thence.graph.position import Positions

EXAMPLE = "Example:  thence positions runs/shop/graph --kind magnetic --kind profile --into runs/shop/positions"


Graph = Annotated[Path, typer.Argument(help="The graph, as thence graph build wrote it, or a run's folder.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        help="propagate, returns, profile, laplacian, magnetic, approximate_laplacian, "
        "approximate_magnetic, anchors or svd; may be repeated."
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", help="KIND.SETTING=VALUE, such as magnetic.k=8; may be repeated."),
]


def positions(
    graph: Graph,
    into: Into,
    kind: Kinds = None,
    values: Values = None,
    relation: Annotated[str | None, typer.Option(help="Which relation; the main one by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where positions of another graph stand there.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compute positions of a graph's nodes; what stands there of the same graph and settings is kept."""
    from thence.cli.folders import part_of
    from thence.graph.digraph import DiGraph
    from thence.graph.position import positions as compute

    whole = DiGraph.load(part_of(graph, "graph"))
    arcs = whole.main if relation is None else whole[relation]
    asked = settings(kind, values)
    made = None if replace else kept(into, arcs, asked, seed)
    fresh = made is None
    if made is None:
        made = compute(whole, asked, seed=seed, relation=relation)
        made.save(into)
    blocks = {name: block.shape[1] for name, block in made.blocks.items()}
    if as_json:
        told = {"into": into, "nodes": made.num_nodes, "computed": fresh, "blocks": blocks}
        emit({**told, "info": dict(made.info)})
        return
    lines = [f"{into}: {made!r}" + ("" if fresh else ", as it stood there")]
    lines += [f"  {name}: {width} columns" for name, width in blocks.items()]
    fallbacks = {name: told.get("fallback") for name, told in made.info["kinds"].items()}
    lines += [f"  {name}: {what}" for name, what in fallbacks.items() if what]
    show("\n".join(lines))


def settings(kinds: list[str] | None, values: list[str] | None) -> dict[str, dict[str, Any]]:
    """The settings of each kind that is asked for.

    Raises:
        ConfigError: a value is no KIND.SETTING=VALUE, or of a kind that is not asked for.

    Example:
        >>> settings(["magnetic"], ["magnetic.k=8"])
        {'magnetic': {'k': 8}}
    """
    from thence.graph.position import DEFAULT

    asked: dict[str, dict[str, Any]] = {name: {} for name in kinds or DEFAULT}
    for text in values or ():
        name, _, value = text.partition("=")
        kind, _, setting = name.partition(".")
        if kind not in asked or not setting or not value:
            raise ConfigError(
                f"--set {text!r} is no setting of {', '.join(asked)}", fix="For example --set magnetic.k=8."
            )
        asked[kind][setting] = _read(value)
    return asked


def _read(text: str) -> Any:
    """A number, true, false or null as JSON writes them; else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def kept(into: Path, arcs: Arcs, asked: dict[str, dict[str, Any]], seed: int) -> Positions | None:
    """The positions that stand there when they are those that are asked for; None when they are to be computed.

    Raises:
        ArtifactError: they are of another graph, or what stands there is torn.
    """
    from thence.base.artifact import MANIFEST
    from thence.graph.position import Positions

    if not (into / MANIFEST).is_file():
        return None
    try:
        found = Positions.load(into, of=arcs)
    except ArtifactError as error:
        raise ArtifactError(error.what, where=into, fix="Choose another folder, or add --replace.") from error
    same = {name: told["settings"] for name, told in found.info["kinds"].items()} == asked
    return found if same and found.info["seed"] == seed else None
