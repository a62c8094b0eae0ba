"""``thence graph append | sparsify | partition | reorder``: from one graph to the next, or to parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from thence.base.errors import ConfigError
from thence.cli.console import emit, show
from thence.cli.options import Into, JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.graph.arcs import Arcs
    from thence.graph.digraph import DiGraph

APPEND = "Example:  thence graph append runs/shop/state runs/shop/log --into runs/shop/graph-tuesday"
SPARSIFY = "Example:  thence graph sparsify runs/shop/graph --share 0.25 --into runs/shop/thin"
PARTITION = "Example:  thence graph partition runs/shop/graph --parts 8 --into runs/shop/parts"
REORDER = "Example:  thence graph reorder runs/shop/graph --by community --into runs/shop/ordered"

Graph = Annotated[Path, typer.Argument(help="The graph, as thence graph build wrote it, or a run's folder.")]


def append(
    state: Annotated[Path, typer.Argument(help="The state, as thence graph build --state began it.")],
    log: Annotated[Path, typer.Argument(help="The log that it was begun from, grown since by thence ingest.")],
    into: Into,
    as_json: JsonFlag = False,
) -> None:
    """Make the next snapshot of a graph from what is new in its log, at the cost of what is new."""
    from thence.graph.append import append as append_events

    with progress_shown() as progress:
        report = append_events(state, log, into, progress=progress)
    if as_json:
        arcs = {name: relation.num_arcs for name, relation in report.graph.relations.items()}
        emit({"into": into, "events": report.events, "nodes": report.graph.num_nodes, "arcs": arcs})
    else:
        show(f"{report.events:,} new events\n{into}: {report.graph!r}")


def sparsify(
    graph: Graph,
    into: Into,
    share: Annotated[float, typer.Option(help="Share of the arcs to keep, above 0 and at most 1.")],
    method: Annotated[
        Literal["top_weight", "local_degree", "resistance", "uniform"],
        typer.Option(help="Keep the heaviest of each source, towards the largest neighbours, or draw."),
    ] = "top_weight",
    relation: Annotated[str | None, typer.Option(help="Which relation; the main one by default.")] = None,
    keep_structure: Annotated[
        bool, typer.Option(help="Lose no node and break no connected piece: keep a spanning structure.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the methods that draw.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Keep fewer arcs, and say what is lost."""
    from thence.graph.sparsify import loss_of

    whole = _load(graph)
    name = relation or next(iter(whole.relations))
    before = whole[name]
    after = _thinned(before, method, share, keep_structure, seed)
    whole.with_relation(name, after).save(into)
    lost = loss_of(before, after, seed)
    if as_json:
        emit({"into": into, "relation": name, "before": before.num_arcs, "arcs": after.num_arcs, "loss": lost})
        return
    lines = [f"{into}: {name}, {after.num_arcs:,} of {before.num_arcs:,} arcs"]
    lines += [f"  {figure}: {value:.4g}" for figure, value in lost.items()]
    show("\n".join(lines))


def partition(
    graph: Graph,
    into: Into,
    parts: Annotated[int, typer.Option(min=1, help="How many parts.")],
    method: Annotated[
        Literal["auto", "metis", "ldg", "fennel", "hash", "range"],
        typer.Option(help="auto takes METIS where it is installed and the graph fits it, else streams."),
    ] = "auto",
    by: Annotated[Literal["nodes", "arcs"], typer.Option(help="What is balanced.")] = "nodes",
    hops: Annotated[int, typer.Option(min=0, help="Width of the halo.")] = 1,
    seed: Annotated[int, typer.Option(help="Same seed, same parts.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Divide a graph among machines: few arcs between parts, parts of one size, each with its halo."""
    from thence.graph.partition import partition as divide
    from thence.graph.partition import write_parts

    whole = _load(graph)
    with progress_shown() as progress:
        made = divide(whole.main, parts, method=method, by=by, seed=seed, progress=progress)
        write_parts(whole, made, into, hops=hops, progress=progress)
    if as_json:
        figures = {"edge_cut": made.edge_cut, "balance": made.balance, "arc_balance": made.arc_balance}
        emit({"into": into, "parts": made.num_parts, "method": made.method, **figures})
    else:
        show(f"{into}: {made!r}, by {made.method}")


def reorder(
    graph: Graph,
    into: Into,
    by: Annotated[
        Literal["community", "degree", "bfs", "rcm"], typer.Option(help="What lies together.")
    ] = "community",
    seed: Annotated[int, typer.Option(help="Of the communities.")] = 0,
) -> None:
    """Number the nodes anew, so that what is used together lies together in memory; ids move along."""
    from thence.graph.reorder import reorder as renumber

    made = renumber(_load(graph), by, seed=seed).graph
    made.save(into)
    show(f"{into}: {made!r}")


def _load(folder: Path) -> DiGraph:
    from thence.cli.folders import part_of
    from thence.graph.digraph import DiGraph

    return DiGraph.load(part_of(folder, "graph"))


def _thinned(arcs: Arcs, method: str, share: float, keep_structure: bool, seed: int) -> Arcs:
    from thence.graph import sparsify as ways

    if method == "top_weight":
        return ways.top_weight(arcs, share=share, keep_structure=keep_structure)
    if method == "local_degree":
        return ways.local_degree(arcs, share=share, keep_structure=keep_structure)
    if method == "resistance":
        return ways.sample_resistance(arcs, share, seed=seed, keep_structure=keep_structure)
    if method == "uniform":
        return ways.uniform(arcs, share, seed=seed, keep_structure=keep_structure)
    raise ConfigError(f"no method {method!r}")
