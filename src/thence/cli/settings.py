"""The settings of a whole run, section by section; each section is the settings of one room."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from thence.base.config import check_config, load_values
from thence.base.errors import ConfigError, nearest
from thence.compress.distill.config import DistillConfig
from thence.encode.dual import DualConfig
from thence.evaluate import EvaluateConfig
from thence.graph.build import GraphConfig
from thence.train import TrainConfig

if TYPE_CHECKING:
    from thence.graph.digraph import DiGraph


AUTO, DUAL, SPECTRAL = METHODS = ("auto", "dual", "spectral")
"""First stages; ``auto`` tries the others."""


def _text(value: Any) -> Any:
    """A date that TOML or YAML has read already, as text again."""
    return value.isoformat() if isinstance(value, date) else value


def _method(name: str) -> str:
    if name not in METHODS:
        raise ConfigError(f"unknown retrieve.method {name!r}", fix=nearest(name, METHODS))
    return name


Moment = Annotated[int | float | str, BeforeValidator(_text)]


class IngestSection(BaseModel):
    """What is read; leave it out when the log is there already.

    Args:
        sources: files, folders or globs of events, relative to the settings file.
        items: the same for the catalogue.
        rename: from their column names to ours.
        event: the event of every row, where no column tells.
        time_unit: of numeric timestamps: s, ms, us or ns.
        delimiter: of CSV files.
        max_reject: the largest share of refused rows with which the run goes on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...]
    items: tuple[str, ...] = ()
    rename: dict[str, str] = Field(default_factory=dict)
    event: str | None = None
    time_unit: str | None = None
    delimiter: str | None = None
    max_reject: float | None = Field(default=None, ge=0, le=1)


class SplitSection(BaseModel):
    """The global temporal split: nothing later than a model's moment reaches it.

    Args:
        valid: when the validation period begins, as a date, or its share of the whole time.
        test: when the test period begins, or its share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    valid: Moment = 0.1
    test: Moment = 0.1


class RetrieveSection(BaseModel):
    """The first stage: which embeddings answer.

    Args:
        method: ``dual``, trained by gradient; ``spectral``, computed from the graph; ``auto``, the better of
            the two on the validation period.
        max_items: ``auto`` leaves shops with more products to ``dual``, as memory grows with them,
        max_arcs: and graphs with more arcs in all relations, as time grows with them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Annotated[str, AfterValidator(_method)] = AUTO
    max_items: int = Field(default=20_000, ge=0)
    max_arcs: int = Field(default=2_000_000, ge=0)

    def refused(self, graph: DiGraph) -> str | None:
        """Why ``auto`` leaves a graph to ``dual``; None where it does not."""
        arcs = sum(relation.num_arcs for relation in graph.relations.values())
        for count, noun, limit in (
            (graph.num_nodes, "products", self.max_items),
            (arcs, "arcs", self.max_arcs),
        ):
            if count > limit:
                return f"{SPECTRAL} was not tried: {count:,} {noun} are more than {limit:,}"
        return None


class SpectralSection(BaseModel):
    """Settings of ``spectral``; those of ``dual`` are ``encode`` and ``train``.

    Args:
        dim: length of the embeddings; 0 chooses by the number of products.
        rank: factors that a likeness keeps.
        damp: how strongly arcs between common products are damped.
        weight_power: how strongly weights count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dim: int = Field(default=0, ge=0)
    rank: int = Field(default=512, ge=1)
    damp: float = Field(default=0.25, ge=0)
    weight_power: float = Field(default=0.5, ge=0)


class RerankSection(BaseModel):
    """The second stage: trees over what the log tells, taught on the validation period (needs XGBoost).

    Args:
        enabled: whether it is tried; it is kept only where it is better on the validation period.
        candidates: how many each of the plain methods retrieves for a product.
        trees: how many.
        judges: at most so many products of the validation period judge; the others teach.
        max_items: shops with more products have the embeddings alone, as time grows with the square.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    candidates: int = Field(default=60, ge=1)
    trees: int = Field(default=120, ge=1)
    judges: int = Field(default=1_000, ge=1)
    max_items: int = Field(default=20_000, ge=0)


class FormsSection(BaseModel):
    """Smaller and faster forms of the model, made and judged at the end of a run; none unless asked for.

    Args:
        index: the kind of index that the bundle answers by, such as ``auto``; empty for none.
        codes: the kind of codes that the model is kept in beside itself, such as ``int8``; empty for none.
        student: whether one is taught, by ``distill``, so that products that nobody has bought are answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: str = ""
    codes: str = ""
    student: bool = False


class ServeSection(BaseModel):
    """Where the service answers.

    Args:
        host: a loopback address.
        port: from 1 to 65535.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)


class RunConfig(BaseModel):
    """Everything about a run.

    Args:
        into: the folder of the run, relative to the settings file.
        name: what the report calls the data.
        baselines: names of the plain baselines to compare with; all when empty.

    Example:
        >>> RunConfig(split=SplitSection(test="2017-12-01")).split.test
        '2017-12-01'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    into: Path = Path("runs/shop")
    name: str = ""
    baselines: tuple[str, ...] = ()
    ingest: IngestSection | None = None
    split: SplitSection = SplitSection()
    graph: GraphConfig = GraphConfig()
    retrieve: RetrieveSection = RetrieveSection()
    encode: DualConfig = DualConfig()
    train: TrainConfig = TrainConfig()
    spectral: SpectralSection = SpectralSection()
    rerank: RerankSection = RerankSection()
    distill: DistillConfig = DistillConfig()
    forms: FormsSection = FormsSection()
    evaluate: EvaluateConfig = EvaluateConfig()
    serve: ServeSection = ServeSection()


def read_settings(path: Path | None, values: Sequence[str] = ()) -> RunConfig:
    """Settings from a file, the defaults where there is none, and single values on top.

    Args:
        path: a ``.toml`` or ``.yaml`` file, or None.
        values: such as ``train.steps=200``; the value is read as TOML, and as text where that fails.

    Raises:
        ConfigError: the file or a value does not fit.

    Example:
        >>> read_settings(None, ["train.steps=7", "split.test=2017-10-15"]).train.steps
        7
    """
    base = load_values(path) if path is not None else {}
    for value in values:
        key, equals, text = value.partition("=")
        if not (key and equals):
            raise ConfigError(f"--set {value!r} is not KEY=VALUE", fix="For example train.steps=200.")
        _put(base, key.split("."), literal(text), key)
    return check_config(base, RunConfig, where=path if not values else f"{path or 'defaults'} and --set")


def write_settings(settings: RunConfig, path: Path) -> None:
    """Write all settings of a run, defaults included, as a file that ``--config`` reads."""
    content = settings.model_dump(mode="json", exclude={"into"}, exclude_none=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def literal(text: str) -> Any:
    """A value as TOML reads it; dates and bare words are text.

    Example:
        >>> literal("0.1"), literal('["a"]'), literal("2017-10-15"), literal("same_basket")
        (0.1, ['a'], '2017-10-15', 'same_basket')
    """
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str | list | dict) else text


def _put(values: dict[str, Any], path: list[str], value: Any, key: str) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {key}: {part!r} is a value, not a section")
    values[path[-1]] = value
