"""Draw ``docs/assets/two-embeddings.png``: a phone, a case, and why each has two vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

SOURCE, TARGET, INK, FAINT = "#3949ab", "#e65100", "#212121", "#9e9e9e"
PHONE = {"source": (0.90, 0.52), "target": (0.72, -0.56)}
CASE = {"source": (0.20, 0.92), "target": (1.06, 0.22)}
PHONE_AT, CASE_AT = (0.17, 0.5), (0.83, 0.5)


def inner(left: tuple[float, float], right: tuple[float, float]) -> float:
    """The inner product of two vectors of the plane.

    Example:
        >>> inner((1.0, 2.0), (3.0, 4.0))
        11.0
    """
    return left[0] * right[0] + left[1] * right[1]


def draw_arcs(panel: Any) -> None:
    """What customers do: a case after a phone, hardly ever the other way."""
    for (x, y), name in ((PHONE_AT, "phone"), (CASE_AT, "case")):
        panel.add_patch(plt.Circle((x, y), 0.13, facecolor="#f5f5f5", edgecolor=INK, linewidth=1.4))
        panel.text(x, y, name, ha="center", va="center", fontsize=13, color=INK)
    for begin, end, style, text, at in (
        ((0.29, 0.57), (0.71, 0.57), {"lw": 4, "color": INK}, "many buy a case next", 0.73),
        (
            (0.71, 0.43),
            (0.29, 0.43),
            {"lw": 1, "color": FAINT, "ls": "--"},
            "hardly anyone then buys a phone",
            0.27,
        ),
    ):
        bend = "arc3,rad=-0.28"
        panel.annotate("", end, begin, arrowprops={"arrowstyle": "-|>", "connectionstyle": bend, **style})
        panel.text(0.5, at, text, ha="center", va="center", fontsize=11, color=INK)
    panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title="what customers do")
    panel.axis("off")


def draw_vectors(panel: Any) -> None:
    """The four vectors, and the two inner products."""
    for node, name in ((PHONE, "phone"), (CASE, "case")):
        for role, color in (("source", SOURCE), ("target", TARGET)):
            x, y = node[role]
            panel.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 2.2, "color": color})
            panel.text(x + 0.04, y + 0.02, f"{role}[{name}]", color=color, fontsize=11, va="center")
    panel.plot(0, 0, "o", color=INK, markersize=4)
    high, low = inner(PHONE["source"], CASE["target"]), inner(CASE["source"], PHONE["target"])
    panel.text(0.0, -0.86, f"phone → case:  ⟨source[phone], target[case]⟩ = {high:.2f}   high", fontsize=11)
    panel.text(0.0, -1.04, f"case → phone:  ⟨source[case], target[phone]⟩ = {low:.2f}   low", fontsize=11)
    panel.set(xlim=(-0.1, 1.75), ylim=(-1.15, 1.1), aspect="equal", title="two vectors for each product")
    panel.axis("off")


def main() -> None:
    """Draw both panels."""
    canvas, panels = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained", width_ratios=(1, 1.15))
    draw_arcs(panels[0])
    draw_vectors(panels[1])
    canvas.savefig(Path(__file__).resolve().parent.parent / "docs/assets/two-embeddings.png", dpi=130)


if __name__ == "__main__":
    main()
