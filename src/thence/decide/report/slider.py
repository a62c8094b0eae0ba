"""Precision against recall, with a slider for the precision that is asked for.

The page moves the marks itself, by the few lines of script below: they fetch nothing, and the page works from a
file. Without script the table stands at the precision of the chosen rule.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from thence.decide.report.sweep import Sweep
from thence.decide.rule import Outcome
from thence.evaluate.plots import INK, MUTED, OURS, PLAIN, as_svg, beside_labels, blank_axes

WIDTH, HEIGHT = 6.9, 3.9
LEFT, RIGHT, BOTTOM, TOP = 0.1, 0.84, 0.13, 0.97
LOOK = {"score": ("var(--plain)", PLAIN), "rate": ("var(--ours)", OURS)}
NAMES = {"score": "score alone", "rate": "score and uncertainty"}
SCRIPT = """
(function () {
  var root = document.getElementById("precision"), steps = JSON.parse(root.dataset.steps);
  var slide = root.querySelector("input"), said = root.querySelector("output");
  function show() {
    var step = steps[+slide.value];
    said.textContent = step.bound;
    Object.keys(step.marks).forEach(function (name) {
      var mark = step.marks[name], dot = root.querySelector("[data-dot=" + name + "]");
      var cells = root.querySelectorAll("[data-row=" + name + "] td");
      dot.style.visibility = mark.at ? "visible" : "hidden";
      if (mark.at) { dot.setAttribute("cx", mark.at[0]); dot.setAttribute("cy", mark.at[1]); }
      mark.cells.forEach(function (text, place) { cells[place].textContent = text; });
    });
    var line = root.querySelector("[data-line]");
    line.setAttribute("y1", step.y); line.setAttribute("y2", step.y);
  }
  slide.addEventListener("input", show);
  show();
})();
"""


def slider(
    sweeps: Mapping[str, Sweep], steps: list[dict[str, Any]], outcomes: Mapping[str, Outcome], start: float
) -> str:
    """The picture, the slider and the table below it, as HTML.

    Args:
        sweeps: by name, ``score`` and perhaps ``rate``.
        steps: what each bound allows (:meth:`DecisionReport.slider`).
        outcomes: rules that are marked, by name.
        start: the precision at which the slider stands first.
    """
    told = [_step(step, list(sweeps)) for step in steps]
    bounds = np.array([step["precision"] for step in steps])
    place = int(np.argmin(np.abs(bounds - start))) if np.isfinite(start) else 0
    first = told[place]
    rows = "".join(
        f"<tr data-row='{name}'><th scope='row'>{NAMES[name]}</th>"
        + "".join(f"<td>{escape(text)}</td>" for text in first["marks"][name]["cells"])
        + "</tr>"
        for name in sweeps
    )
    heads = "".join(f"<th scope='col'>{name}</th>" for name in ("", "recall", "precision", "taken", "at least"))
    data = escape(json.dumps(told, separators=(",", ":")), quote=True)
    drawn = f"<figure style='margin-top:0'>{_picture(sweeps, outcomes, first)}</figure>"
    return (
        f"<div id='precision' data-steps=\"{data}\">{drawn}"
        "<p><label>Precision of at least "
        f"<output style='display:inline-block;min-width:3.5em;font-weight:600'>{first['bound']}</output>"
        f"<input type='range' min='0' max='{len(told) - 1}' value='{place}' autocomplete='off' "
        "style='width:100%;accent-color:var(--ours)'></label></p>"
        f"<div class='scroll'><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"<script>{SCRIPT}</script></div>"
    )


def _step(step: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """What the script needs of one step: texts, and places in the picture."""
    marks = {}
    for name in names:
        found = step[name]
        if found is None:
            marks[name] = {"at": None, "cells": ["none", "–", "0", "–"]}
            continue
        texts = [f"{100 * found[what]:.1f}\u00a0%" for what in ("recall", "precision")]
        at = [_x(found["recall"]), _y(found["precision"])]
        marks[name] = {"at": at, "cells": [*texts, f"{found['taken']:,}", f"{found['threshold']:.4g}"]}
    bound = step["precision"]
    return {"bound": f"{100 * bound:.1f}\u00a0%", "y": _y(bound), "marks": marks}


def _picture(sweeps: Mapping[str, Sweep], outcomes: Mapping[str, Outcome], first: Mapping[str, Any]) -> str:
    canvas, axes = blank_axes(WIDTH, HEIGHT, left=LEFT, right=RIGHT, bottom=BOTTOM, top=TOP)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for name, sweep in sweeps.items():
        axes.plot(*sweep.line(), color=LOOK[name][1], linewidth=1.8)
    labels = []
    for name, one in outcomes.items():
        if one.taken and one.positives:
            axes.plot([one.recall], [one.precision], "o", color=INK, markersize=4, zorder=5)
            labels.append((one.recall, one.precision, name, MUTED))
    beside_labels(axes, labels)
    axes.set_xlabel("recall", color=MUTED)
    axes.set_ylabel("precision", color=MUTED)
    left, right = _x(0), _x(1)
    marks = (
        f"<line data-line x1='{left}' x2='{right}' y1='{first['y']}' y2='{first['y']}' "
        "style='stroke:var(--muted);stroke-width:.8;stroke-dasharray:2 2'/>"
    )
    for name in sweeps:
        at = first["marks"][name]["at"]
        shown = "visible" if at else "hidden"
        x, y = at or (left, _y(0))
        marks += (
            f"<circle data-dot='{name}' cx='{x}' cy='{y}' r='4.5' "
            f"style='fill:var(--paper);stroke:{LOOK[name][0]};stroke-width:2;visibility:{shown}'/>"
        )
    return as_svg(canvas, "sweep").replace("</svg>", marks + "</svg>")


def _x(recall: float) -> float:
    """Points from the left of the picture."""
    return round(72 * WIDTH * (LEFT + (RIGHT - LEFT) * recall), 2)


def _y(precision: float) -> float:
    """Points from the top of the picture."""
    return round(72 * HEIGHT * (1 - BOTTOM - (TOP - BOTTOM) * precision), 2)
