"""``thence graph``: from a log to a directed graph, and what that graph looks like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from thence.cli import graph_alike, graph_change
from thence.cli.console import emit, show
from thence.cli.options import Engine, Into, JsonFlag
from thence.cli.progress import progress_shown

BUILD_EXAMPLE = "Example:  thence graph build runs/shop/log --relation same_basket --into runs/shop/graph"
STATS_EXAMPLE = "Example:  thence graph stats runs/shop/graph"

app = typer.Typer(
    name="graph",
    help="Build a directed graph of products from a log; look at one, grow, thin or divide it.",
    no_args_is_help=True,
)


@app.command(epilog=BUILD_EXAMPLE)
def build(
    log: Annotated[Path, typer.Argument(help="The log, as thence ingest wrote it.")],
    into: Into,
    relation: Annotated[
        list[str] | None,
        typer.Option(help="same_basket, bought_after, co_viewed or substitute; repeat it, the main one first."),
    ] = None,
    before: Annotated[str | None, typer.Option(help="Use only events before this date.")] = None,
    min_count: Annotated[int, typer.Option(help="Products bought fewer times have no arcs.")] = 5,
    min_support: Annotated[int | None, typer.Option(help="Pairs seen fewer times are no arcs.")] = None,
    window_days: Annotated[float, typer.Option(help="Longest time that bought_after joins.")] = 28.0,
    include_cold: Annotated[bool, typer.Option(help="Give every product of the catalogue a node.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="Begin a state here, from which thence graph append goes on.")
    ] = None,
    engine: Engine = "duckdb",
    as_json: JsonFlag = False,
) -> None:
    """Build the graph of a log: which product leads to which, by what evidence."""
    from thence.events import EventLog
    from thence.graph.build import GraphConfig, build_graph

    config = GraphConfig(
        relations=tuple(relation) if relation else GraphConfig().relations,
        min_count=min_count,
        min_support=min_support,
        window_days=window_days,
        include_cold=include_cold,
    )
    events = EventLog.load(log, engine=engine)
    events = events.before(before) if before else events
    with progress_shown() as progress:
        if state is None:
            graph = build_graph(events, config, progress=progress)
        else:
            from thence.graph.append import start

            graph = start(events, state, config, progress=progress)
    graph.save(into)
    if as_json:
        arcs = {name: relation.num_arcs for name, relation in graph.relations.items()}
        emit({"into": into, "nodes": graph.num_nodes, "arcs": arcs})
    else:
        show(f"{into}: {graph!r}")


@app.command(epilog=STATS_EXAMPLE)
def stats(
    graph: Annotated[
        Path, typer.Argument(help="The graph, as thence graph build wrote it, or a run's folder.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Count nodes and arcs, the share of one-way arcs, degrees, and products without arcs."""
    from thence.cli.folders import part_of
    from thence.graph.digraph import DiGraph
    from thence.graph.stats import graph_stats

    found = graph_stats(DiGraph.load(part_of(graph, "graph")))
    if as_json:
        emit(found)
    else:
        show(describe(found))


app.command(epilog=graph_change.APPEND)(graph_change.append)
app.command(epilog=graph_change.SPARSIFY)(graph_change.sparsify)
app.command(epilog=graph_change.PARTITION)(graph_change.partition)
app.command(epilog=graph_change.REORDER)(graph_change.reorder)
app.command(epilog=graph_alike.ALIKE)(graph_alike.alike)


def describe(found: Mapping[str, Any]) -> str:
    """The figures of a graph as lines of text.

    Example:
        >>> print(describe({"nodes": 3, "cold_share": 0.5, "relations": {}}))
        3 nodes, 50.0% of them without arcs
    """
    lines = [f"{found['nodes']:,} nodes, {found['cold_share']:.1%} of them without arcs"]
    for name, figures in found["relations"].items():
        kind = "directed" if figures["directed"] else "undirected"
        lines.append(f"{name}: {figures['arcs']:,} arcs, {kind}")
        if figures["directed"]:
            lines.append(
                f"  one-way {figures['one_way_share']:.1%}, clear direction {figures['clear_share']:.1%}"
            )
        for side in ("out", "in") if figures["directed"] else ("out",):
            degree = figures[f"{side}_degree"]
            label = f"{side}-degree" if figures["directed"] else "degree"
            lines.append(
                f"  {label}: mean {degree['mean']:.1f}, median {degree['median']:g}, largest {degree['max']:g}"
            )
            bins = ", ".join(f"{key}: {count:,}" for key, count in figures["degrees"][side].items())
            lines.append(f"    nodes by {label} {bins}")
    return "\n".join(lines)
