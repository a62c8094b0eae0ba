"""Bundle: everything that the service needs, in one artifact: a model, its graph, a baseline, a report.

On disk it is a folder of artifacts, sealed by a manifest of its own::

    bundle/
      manifest.json     kind "bundle"; lists every file below with its digest
      model/            Embeddings
      graph/            DiGraph, with its table of nodes
      baseline/         NeighborTable of the best plain baseline (may be absent)
      reranked/         RerankedTable of the second stage: what follows each item, and why (may be absent)
      conversion/       ConversionModel: whether an exposure will convert (may be absent)
      policy/           Policy: where to act on a score, given how sure the model is of it (may be absent)
      index/            a similarity index of the model, which answers in place of scoring all (may be absent)
      student/          Student: embeds products that no graph knows, by their catalogue (may be absent)
      effects/          ArcEffects: what a single arc does to a score (may be absent)
      report.html       the evaluation report (may be absent)
      report.json
      data.json         what the log held and what its ingest refused, in counts (may be absent)
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thence.base.artifact import MANIFEST, Artifact, open_artifact, version, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.encode.effects import ArcEffects
from thence.encode.embeddings import Embeddings
from thence.graph.digraph import DiGraph
from thence.index.table import NeighborTable
from thence.rerank.table import RerankedTable
from thence.serve.schemas_data import LogFacts

if TYPE_CHECKING:
    from thence.compress import Student
    from thence.conversion.model import ConversionModel
    from thence.decide.policy import Policy
    from thence.index.ann import AnnIndex
    from thence.index.exact import ExactIndex

KIND = "bundle"


@dataclass(frozen=True, eq=False, repr=False)
class Bundle:
    """A model and what is needed to explain it and to compare it. Immutable.

    Args:
        embeddings: the model.
        graph: the arcs behind it; its ``nodes`` table, where there is one, gives titles and prices.
        baseline: the best plain baseline's answers, for the page to show beside the model's.
        report_html: a self-contained page with the evaluation.
        report: the same evaluation as a JSON object.
        reranked: the second stage's answers to what follows; the embeddings answer all other questions.
        conversion: answers whether an exposure will convert; it has a version of its own.
        policy: decides where to act; it has a version of its own.
        index: answers by the same embeddings, faster.
        student: embeds products that the model does not know, into the model's space.
        effects: works out what a single arc does to a score.
        data: counts of the log that all of it was learned from, and of what its ingest refused.

    Raises:
        DataError: the parts speak of different items, or of the same ones in another order, or the student's
            vectors are not as long as the model's.

    Example:
        >>> import numpy as np
        >>> from thence.base.ids import IdMap
        >>> from thence.graph.arcs import Arcs
        >>> ids, eye = IdMap(["phone", "case"]), np.eye(2)
        >>> graph = DiGraph(ids, {"bought_after": Arcs.from_pairs([0], [1], num_nodes=2)})
        >>> bundle = Bundle(Embeddings(ids, eye, eye[::-1]), graph)
        >>> bundle
        Bundle(2 items, dim 2, bought_after: 1 arcs, baseline none)
    """

    embeddings: Embeddings
    graph: DiGraph
    baseline: NeighborTable | None = None
    report_html: str | None = None
    report: Mapping[str, Any] | None = None
    reranked: RerankedTable | None = None
    conversion: ConversionModel | None = None
    policy: Policy | None = None
    index: AnnIndex | ExactIndex | None = None
    student: Student | None = None
    data: LogFacts | None = None
    effects: ArcEffects | None = None

    def __post_init__(self) -> None:
        ids = self.embeddings.ids
        if self.graph.ids != ids:
            raise DataError("the graph's items are not the model's", fix="Bundle a model with its own graph.")
        if self.baseline is not None and self.baseline.ids != ids:
            raise DataError("the baseline's items are not the model's", fix="Build both from one graph.")
        if self.reranked is not None and self.reranked.neighbors.ids != ids:
            raise DataError("the re-ranked items are not the model's", fix="Build both from one graph.")
        if self.index is not None and self.index.ids != ids:
            raise DataError("the index's items are not the model's", fix="Build the index of this model.")
        if self.effects is not None and self.effects.source.shape != self.embeddings.source.shape:
            raise DataError("the arc effects are not the model's", fix="Bundle a model with its own encoder.")
        if self.student is not None and self.student.dim - self.student.shared != self.embeddings.dim:
            raise DataError(
                f"the student was taught by vectors of {self.student.dim - self.student.shared} numbers, the "
                f"model's have {self.embeddings.dim}",
                fix="Distil this model.",
            )
        nodes = self.graph.nodes
        if nodes is None or "item_id" not in nodes.column_names:
            return
        if not nodes["item_id"].cast("string").combine_chunks().equals(ids.array):
            raise DataError("the node table's item_id is not in node order", where=repr(self.graph))

    def __repr__(self) -> str:
        """One line with the counts."""
        arcs = ", ".join(f"{name}: {arcs.num_arcs:,} arcs" for name, arcs in self.graph.relations.items())
        size = f"{len(self.embeddings.ids):,} items, dim {self.embeddings.dim}"
        baseline = "none" if self.baseline is None else repr(self.baseline.name)
        return f"Bundle({size}, {arcs}, baseline {baseline})"

    @cached_property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the model artifact's fingerprint; every answer carries them."""
        with tempfile.TemporaryDirectory() as folder:
            self.embeddings.save(Path(folder) / "model")
            return version(Path(folder) / "model")

    def save(self, folder: str | Path) -> None:
        """Write the bundle as one artifact; a bundle that stands there already is replaced by rename.

        Raises:
            ArtifactError: something else stands there, or it cannot be written.
        """
        with write_artifact(folder, KIND) as draft:
            self.embeddings.save(draft.path("model"))
            self.graph.save(draft.path("graph"))
            for name in ("baseline", "reranked", "conversion", "policy", "index", "student", "effects"):
                part = getattr(self, name)
                if part is not None:
                    part.save(draft.path(name))
            if self.report_html is not None:
                draft.path("report.html").write_text(self.report_html, encoding="utf-8")
            if self.report is not None:
                text = json.dumps(self.report, indent=1, sort_keys=True, allow_nan=False)
                draft.path("report.json").write_text(text + "\n", encoding="utf-8")
            if self.data is not None:
                draft.path("data.json").write_text(self.data.model_dump_json(indent=1) + "\n", encoding="utf-8")
            draft.counts.update(items=len(self.embeddings.ids), dim=self.embeddings.dim)
            draft.config["model_version"] = version(draft.path("model"))

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Open a saved bundle; every file is compared with its digest.

        Raises:
            ArtifactError: it is absent, torn, tampered with, not a bundle, or its parts do not fit together.
        """
        art = open_artifact(folder, KIND)
        graph = DiGraph.load(art.folder / "graph", verify=False, mapped=False)  # its bytes were verified just
        graph.check(where=folder)  # now, what they say was not
        try:
            report_html = art.path("report.html").read_text("utf-8") if "report.html" in art.files else None
            report = (
                json.loads(art.path("report.json").read_text("utf-8")) if "report.json" in art.files else None
            )
            data = LogFacts.read(art.path("data.json")) if "data.json" in art.files else None
            embeddings = Embeddings.load(art.folder / "model")
            told: dict[str, Any] = {"report_html": report_html, "report": report, "data": data}
            bundle = cls(embeddings, graph, **told, **_parts(art, embeddings))
        except (DataError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ArtifactError(f"inconsistent bundle: {error}", where=folder) from error
        bundle.__dict__["version"] = version(art.folder / "model")
        return bundle


def _parts(art: Artifact, embeddings: Embeddings) -> dict[str, Any]:
    """The parts that may be absent; what opens them is loaded only where they stand."""
    parts: dict[str, Any] = {}
    if f"baseline/{MANIFEST}" in art.files:
        parts["baseline"] = NeighborTable.load(art.folder / "baseline")
    if f"reranked/why/{MANIFEST}" in art.files:
        parts["reranked"] = RerankedTable.load(art.folder / "reranked")
    if f"conversion/{MANIFEST}" in art.files:
        from thence.conversion.model import ConversionModel

        parts["conversion"] = ConversionModel.load(art.folder / "conversion")
    if f"policy/{MANIFEST}" in art.files:
        from thence.decide.policy import Policy

        parts["policy"] = Policy.load(art.folder / "policy")
    if f"index/{MANIFEST}" in art.files:
        from thence.index.keep import load_index

        parts["index"] = load_index(art.folder / "index", embeddings)
    if f"effects/{MANIFEST}" in art.files:
        parts["effects"] = ArcEffects.load(art.folder / "effects")
    if f"student/{MANIFEST}" in art.files:
        from thence.compress import Student

        parts["student"] = Student.load(art.folder / "student")
    return parts
