"""Write ``bench/RESULTS.md`` from the JSON lines that benches print.

    python bench/house.py | tail -1 >> bench/results.jsonl
    python bench/results.py

Of each figure the newest counts: a line that holds only some figures replaces only those.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from parts.decide_names import JUDGED

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- table: bench/results.py -->", "<!-- /table -->"
RELATED = (
    "HR@5",
    "HR@10",
    "HR@20",
    "MRR@10",
    "MRR@20",
    "HR@10.low_degree",
    "HR@10.one_way",
    "HR@10.cold_target",
    "HR@10.transitive",
    "HR@10.bought",
    "Hits@100",
    "existence_auc",
    "direction_auc",
    "direction_auc_matched",
    "HR@10.over_best_baseline",
    "HR@10.share_of_ceiling",
    "seconds",
    "peak_gib",
)
DELAYED = (
    "AUC",
    "PRAUC",
    "NLL",
    "ECE",
    "RI_AUC",
    "RI_NLL",
    "calibration",
    "calibration_by_age",
    "effective_share",
    "engagement_gain",
    "rows",
    "seconds",
)
_JUDGED = (*JUDGED, "recall_gain_around.low", "recall_gain_around.high")
DECIDE = (
    "bound",
    *_JUDGED,
    "share_of_bayes_gain",
    "bound_kept",
    "recall_share",
    "recall_share_matched",
    "nothing_shown",
    "ECE",
    "ECE_worst_level",
    "rate_surest",
    "rate_least_sure",
    "z",
    *("single." + name for name in ("bound", "recall", "precision")),
    *("ours." + name for name in ("uses", *_JUDGED[1:4], *_JUDGED[5:])),
    *("guaranteed." + name for name in ("precision", "bound_kept", "recall_resplit")),
    *("mist." + name for name in (*_JUDGED[1:4], "recall_gain", "recall_gain_around")),
    *("exact." + name for name in (*_JUDGED[1:4], "recall_gain", "recall_gain_around")),
    "ceiling.recall_gain",
    "ceiling_smooth.recall_gain",
    "rows",
    "one_row",
    "seconds_200k",
    "recall_on_fit",
    "precision_on_fit",
    "seconds_500x10_1M",
    "seconds_10_1M",
)
INDEX = (
    "recall@20",
    "fewest",
    "us",
    "qps_over_raw_faiss",
    "qps_over_raw_scann",
    "build_seconds",
    "build_over_raw_faiss",
    "build_over_raw_scann",
    "build_and_measure_seconds",
    "bytes_per_node",
    "bytes_over_raw_faiss",
    "bytes_over_raw_scann",
    "best_recall@20",
    "recall@20_after_churn",
    "churn_seconds",
    "rebuild_over_churn",
    "peak_gib",
    "own_memory_gib",
    "structure_gib",
    "shards",
    "vectors_on_disk_gib",
    "build_core_hours",
    "core_ms_per_query",
)


COMPRESS = (
    "cold_HR@10",
    "cold_HR@10_over_best_baseline",
    "cold_HR@10_over_best_lent",
    "page_rank.cold_HR@10",
    "strap.cold_HR@10",
    "counts.cold_HR@10",
    "cold_target_HR@10",
    "warm_HR@10",
    "warm_HR@10_share",
    "warm_HR@10_share_words_alone",
    "speedup",
    "speedup_warm_layers",
    "speedup_light",
    "microseconds",
    "megabytes",
    "HR@10_share",
    "recall@20",
    "bytes_ratio",
    "cpu_1",
    "cpu_64",
    "fit_seconds",
    "student.accuracy",
    "teacher.accuracy",
    "mlp.accuracy",
    "student.points_over_teacher",
    "student.accuracy_unseen",
    "teacher.accuracy_unseen",
    "mlp.accuracy_unseen",
)


LONGRANGE = (
    "accuracy",
    "auc",
    "mae",
    *("at_2_5", "at_6_10", "at_11_20", "at_21_40", "cold", "accuracy_seen", "share"),
    "HR@10",
    "arcs",
    "time_ratio",
    *("difference", "gradient_difference", "batch_change", "heads_crash"),
    "seconds",
    "over_sage",
    *("cpu_seconds", "cpu_seconds_a_hop", "build_seconds"),
    *(f"{nodes}.cpu_seconds" for nodes in (10_000, 100_000, 500_000, 2_000_000)),
    "power",
    "cpu_minutes",
    "peak_gib",
    *("residual", "error", "found", "first_half_angle", "first_half_angle.mean", "angle", "angle.mean"),
    "published",
    "parameters",
    "rate",
)


class Grid(NamedTuple):
    """How a bench's figures become tables of methods and metrics.

    Args:
        group: parts of a figure's name that name the table.
        columns: metrics in order.
        leads: the first of these that is there ranks the methods.
        falls: whether less of it is better.
        digits: of figures below ten.
        deeper: beginnings of names of which one part more names the table.
    """

    group: int
    columns: tuple[str, ...]
    leads: tuple[str, ...]
    falls: bool = False
    digits: int = 0
    deeper: tuple[str, ...] = ()


GRIDS = {
    "related": Grid(2, RELATED, ("HR@10", "HR@20", "Hits@100")),
    "delayed": Grid(1, DELAYED, ("NLL",), falls=True, digits=4),
    "index": Grid(1, INDEX, ("recall@20",), digits=3),
    "compress": Grid(1, COMPRESS, ("cold_HR@10", "recall@20"), digits=3),
    "longrange": Grid(
        1,
        LONGRANGE,
        ("accuracy", "auc", "HR@10"),
        digits=3,
        deeper=("tree.", "ring.n", "echo.", "scale.", "similar.", "positions.curve.", "positions.repeated."),
    ),
    "decide": Grid(
        1, DECIDE, ("ours.recall_gain_around", "ours.recall_gain", "recall_gain", "recall", "ECE"), digits=3
    ),
}
NOTES = {
    "decide": """\
`ceiling.recall_gain` is what thresholds fitted to the very labels that judge them gain at equal precision,
one a level of uncertainty: no boundary of as many levels can have more. Where it is below 1.15, so are they
all, however sure the effect is (`z`: standard errors between the surest and the least sure quarter at equal
score). With few positives (coupons, Open Bandit) it follows their noise and says nothing. `rows` tells how
many of a set's rows were drawn; where it is missing, all were, in an older run.""",
}
"""What is to be known of a bench's tables."""
HEAD = """# Results

Written by `python bench/results.py` from `bench/results.jsonl`, the lines that benches printed last; not by
hand, but for the last section. Figures ending in `.std` are the spread over seeds, given here after ±. How each
figure is defined: [docs/evaluate.md](../docs/evaluate.md).
"""


def main() -> None:
    """Read the lines, write the page."""
    lines = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines() if line.strip()]
    pages = [HEAD]
    for bench in dict.fromkeys(line["bench"] for line in lines):
        pages.append(section(bench, [line for line in lines if line["bench"] == bench]))
    pages.append((HERE / "beside_public.md").read_text(encoding="utf-8"))
    (HERE / "RESULTS.md").write_text("\n".join(pages), encoding="utf-8")
    readme = HERE.parent / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}\n{demo_table(lines)}\n{END}{after}", encoding="utf-8")


def demo_table(lines: list[dict[str, Any]]) -> str:
    """The demo's methods, best first, for the README."""
    figures: dict[str, tuple[float, int]] = {}
    for line in lines:
        if line["bench"] == "house":
            told = line["figures"]
            for name in told:  # a spread is that of its own run
                figures.pop(f"{name}.std", None)
            figures.update({name: (value, 0) for name, value in told.items()})
    prefix, columns = "demo.temporal.", ("HR@10", "MRR@10", "NDCG@10", "coverage")
    methods = {name[len(prefix) :].split(".")[0] for name in figures if name.startswith(prefix)}
    methods -= {"best_baseline", "best_published"}
    ranked = sorted(methods, key=lambda method: -figures[f"{prefix}{method}.HR@10"][0])
    rows = ["| method | HitRate@10 | MRR@10 | NDCG@10 | share of products shown |", "|---|---:|---:|---:|---:|"]
    for method in ranked:
        names = [f"{prefix}{method}.{column}" for column in columns]
        cells = [f"{figures[name][0]:.4f}{spread(figures, name)}" if name in figures else "" for name in names]
        label = "**thence** (`ours`)" if method == "ours" else method.replace("_", " ")
        rows.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(rows)


def section(bench: str, lines: list[dict[str, Any]]) -> str:
    """One bench: a table of figures, each with the run that it comes from."""
    newest: dict[str, tuple[float, int]] = {}
    for at, line in enumerate(lines):
        for name in line["figures"]:  # a spread is that of its own run
            newest.pop(f"{name}.std", None)
        if bench == "decide":  # who tells of its rows tells all, and what it leaves out is not defined
            told = tuple(name.removesuffix("rows") for name in line["figures"] if name.endswith(".rows"))
            newest = {name: value for name, value in newest.items() if not (told and name.startswith(told))}
        newest.update({name: (value, at) for name, value in line["figures"].items()})
    used = sorted({at for _, at in newest.values()})
    runs = [run_of(number, lines[at]) for number, at in enumerate(used, 1)]
    if bench in GRIDS:
        tables = grids(newest, used, GRIDS[bench])
        note = [NOTES[bench], ""] if bench in NOTES else []
        return "\n".join([f"## {bench}: `python bench/{bench}.py`", "", *runs, "", *note, *tables])
    rows = [
        f"| `{name}` | {shown(value)}{spread(newest, name)} | {used.index(at) + 1} |"
        for name, (value, at) in sorted(newest.items())
        if not name.endswith(".std")
    ]
    table = ["| figure | value | run |", "|---|---:|---:|", *rows]
    return "\n".join([f"## {bench}: `python bench/{bench}.py`", "", *runs, "", *table, ""])


def grids(newest: dict[str, tuple[float, int]], used: list[int], grid: Grid) -> list[str]:
    """Figures GROUP.METHOD.METRIC as one table for each group, best method first."""
    groups: dict[str, dict[str, dict[str, str]]] = {}
    alone: dict[str, list[str]] = {}
    for name in newest:
        depth = grid.group + name.startswith(grid.deeper) if grid.deeper else grid.group
        parts = name.split(".", depth + 1)
        if name.endswith(".std") or len(parts) < 2:
            continue
        group = ".".join(parts[:depth])
        if len(parts) == depth + 2:
            groups.setdefault(group, {}).setdefault(parts[-2], {})[parts[-1]] = name
        elif len(parts) == depth + 1:
            alone.setdefault(group, []).append(f"{parts[-1]} {shown(newest[name][0])}")
    pages: list[str] = []
    for group, methods in groups.items():
        columns = [metric for metric in grid.columns if any(metric in found for found in methods.values())]
        runs = sorted({used.index(newest[n][1]) + 1 for found in methods.values() for n in found.values()})
        pages += [f"### {group} (run {', '.join(map(str, runs))})", ""]
        pages += [", ".join(alone[group]) + ".", ""] if group in alone else []
        pages += [f"| method | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
        lead = next((metric for metric in grid.leads if metric in columns), "")
        for method in sorted(methods, key=lambda method: _rank(newest, methods[method].get(lead), grid)):
            names = [methods[method].get(metric) for metric in columns]
            if not any(names):
                continue
            cells = [f"{shown(newest[n][0], grid.digits)}{spread(newest, n)}" if n else "" for n in names]
            label = f"**{method}**" if method.startswith("ours") else method
            pages.append(f"| {label} | {' | '.join(cells)} |")
        pages.append("")
    return pages


def _rank(newest: dict[str, tuple[float, int]], name: str | None, grid: Grid) -> float:
    """Where a method stands; those without the figure come last."""
    value = newest[name][0] if name else (math.inf if grid.falls else 0.0)
    return value if grid.falls else -value


def run_of(number: int, line: dict[str, Any]) -> str:
    """One line on where and when figures were measured."""
    machine = line["machine"]
    quick = " `--quick`" if line["quick"] else ""
    return (
        f"- Run {number}{quick}: commit {line['commit']}, {line['seeds']} seed(s), {line['seconds']:,} s on "
        f"{machine['cores']} cores, {machine['gib']} GiB, Python {machine['python']}, {machine['arch']}."
    )


def spread(figures: dict[str, tuple[float, int]], name: str) -> str:
    """± the standard deviation over seeds, where there is one."""
    found = figures.get(f"{name}.std")
    return f" ± {found[0]:.2g}" if found and found[0] else ""


def shown(value: float, digits: int = 0) -> str:
    """A figure with as many digits as mean something, or with so many behind the point where it is below ten
    and these say something.

    Example:
        >>> shown(0.02534), shown(1234567.0), shown(12.345)
        ('0.0253', '1,234,567', '12.3')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    told = not value or 10.0**-digits <= abs(value) < 10
    return f"{value:.{digits}f}" if digits and told else f"{value:.3g}"


if __name__ == "__main__":
    main()
