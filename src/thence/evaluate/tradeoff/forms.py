"""Tradeoff: the forms of one model, what each loses, and what it saves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError, nearest

KIND = "tradeoff"
COSTS = ("bytes", "micros")


@dataclass(frozen=True)
class Form:
    """One way to hold a model and to answer with it.

    Args:
        name: what it is called in the table, such as ``int8`` or ``student``.
        role: ``"model"``, ``"codes"``, ``"index"`` or ``"student"``.
        hit_rate: HR@k on the tradeoff's cases.
        recall: share of the model's own exact lists that it finds; NaN where it means to answer otherwise.
        bytes: what it takes to keep.
        micros: CPU time of an answer, µs; NaN where none was measured.

    Example:
        >>> Form("int8", "codes", 0.21, 0.99, 1 << 20, 40.0).name
        'int8'
    """

    name: str
    role: str
    hit_rate: float
    recall: float
    bytes: int
    micros: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.hit_rate) or self.bytes <= 0 or self.micros <= 0:
            raise DataError(f"form {self.name!r} has a figure that cannot be", where=repr(self))


@dataclass(frozen=True, repr=False)
class Tradeoff:
    """Forms of one model, judged on the same cases; the first of them is the model as it was trained.

    Args:
        forms: names differ; the first is what all others are compared with.
        info: what the page should say above the table (data set, cases, machine), JSON-able.

    Raises:
        DataError: there is no form, or two have the same name.

    Example:
        >>> model = Form("model", "model", 0.2, 1.0, 4000, 80.0)
        >>> tradeoff = Tradeoff((model, Form("int8", "codes", 0.199, 0.99, 1000, 90.0)))
        >>> tradeoff
        Tradeoff(2 forms, model HR 0.2000)
        >>> [form.name for form in tradeoff.front("bytes")], [form.name for form in tradeoff.front("micros")]
        (['int8', 'model'], ['model'])
    """

    forms: tuple[Form, ...]
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [form.name for form in self.forms]
        if not names:
            raise DataError("a tradeoff needs the model itself as its first form")
        if len(set(names)) < len(names):
            raise DataError("two forms have the same name", where=", ".join(names))

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Tradeoff({len(self.forms)} forms, model HR {self.model.hit_rate:.4f})"

    @property
    def model(self) -> Form:
        """What all others are compared with."""
        return self.forms[0]

    def share(self, form: Form) -> float:
        """HR@k of a form over the model's; NaN where the model never hits."""
        return form.hit_rate / self.model.hit_rate if self.model.hit_rate else math.nan

    def front(self, cost: str) -> list[Form]:
        """Forms that no other beats: none hits as often for less, or more often for as much. Cheapest first.

        Args:
            cost: ``"bytes"`` or ``"micros"``. Forms whose time was not measured stand outside the latter.

        Raises:
            DataError: the cost is unknown.
        """
        if cost not in COSTS:
            raise DataError(f"unknown cost {cost!r}", fix=nearest(cost, COSTS))
        told = [form for form in self.forms if math.isfinite(getattr(form, cost))]
        kept: list[Form] = []
        for form in sorted(told, key=lambda each: (getattr(each, cost), -each.hit_rate)):
            if not kept or form.hit_rate > kept[-1].hit_rate:
                kept.append(form)
        return kept

    def smallest(self, loss: float) -> Form:
        """The form of fewest bytes that loses at most ``loss`` of the model's HR@k, as a share."""
        good = [form for form in self.forms if form.hit_rate >= (1 - loss) * self.model.hit_rate]
        return min(good, key=lambda form: form.bytes)

    def joined(self, forms: tuple[Form, ...], info: Mapping[str, Any] | None = None) -> Tradeoff:
        """The same with more forms; those of a name that stands already take its place."""
        fresh = {form.name: form for form in forms}
        kept = tuple(fresh.pop(form.name, form) for form in self.forms)
        return replace(self, forms=(*kept, *fresh.values()), info={**self.info, **(info or {})})

    def text(self) -> str:
        """The table as lines of text."""
        from thence.evaluate.tradeoff.page import cells, heads

        names = [form.name for form in self.forms]
        rows = [heads(self), *([form.name, *cells(self, form)] for form in self.forms)]
        wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join([row[0].ljust(wide[0]), *map(str.rjust, row[1:], wide[1:])]) for row in rows]
        return "\n".join(line.rstrip() for line in lines) if names else ""

    def page(self) -> str:
        """A self-contained HTML page: the table, and accuracy against bytes and against time."""
        from thence.evaluate.tradeoff.page import page

        return page(self)

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``tradeoff``, with its page beside it as ``tradeoff.html``."""
        with write_artifact(folder, KIND) as draft:
            draft.table("forms", pa.Table.from_pylist([asdict(form) for form in self.forms]))
            draft.path("tradeoff.html").write_text(self.page(), encoding="utf-8")
            draft.counts.update(forms=len(self.forms))
            draft.config.update(self.info)

    @classmethod
    def load(cls, folder: str | Path) -> Tradeoff:
        """Open a saved one.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or not a tradeoff.
        """
        art = open_artifact(folder, KIND)
        try:
            return cls(tuple(Form(**row) for row in art.table("forms").to_pylist()), art.config)
        except (TypeError, KeyError, DataError) as error:
            raise ArtifactError(f"inconsistent tradeoff: {error}", where=folder) from error
