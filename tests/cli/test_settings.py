"""The settings of a run: from a file, with single values on top, every section checked by its room."""

from __future__ import annotations

from pathlib import Path

import pytest

from thence.base.errors import ConfigError
from thence.cli.settings import RunConfig, read_settings

FILE = """
into = "runs/here"
name = "Here"

[ingest]
sources = ["a.csv"]
rename = { customer = "user_id" }
max_reject = 0.5

[split]
valid = 0.2
test = 2026-03-01

[graph]
relations = ["bought_after"]

[encode]
dim = 16

[train]
steps = 20
learning_rate = 1e-3

[evaluate]
ks = [1, 10]

[serve]
port = 8080
"""


def test_every_section_reaches_its_room(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(FILE)
    read = read_settings(tmp_path / "run.toml")
    assert (read.into, read.name) == (Path("runs/here"), "Here")
    assert read.ingest is not None and read.ingest.rename == {"customer": "user_id"}
    assert (read.split.valid, read.split.test) == (0.2, "2026-03-01")
    assert read.graph.relations == ("bought_after",) and read.encode.dim == 16
    assert (read.train.steps, read.train.learning_rate) == (20, 0.001)
    assert read.evaluate.ks == (1, 10) and read.serve.port == 8080


def test_yaml_reads_the_same(tmp_path: Path) -> None:
    text = "split: {test: 2026-03-01}\ntrain: {steps: 20, learning_rate: 1e-3}\n"
    (tmp_path / "run.yaml").write_text(text)
    read = read_settings(tmp_path / "run.yaml")
    assert read.split.test == "2026-03-01" and read.train.learning_rate == 0.001


def test_values_stand_above_the_file(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(FILE)
    values = ["train.steps=7", "split.test=2026-05-01", 'graph.relations=["same_basket"]', "name=There"]
    read = read_settings(tmp_path / "run.toml", values)
    assert (read.train.steps, read.split.test, read.name) == (7, "2026-05-01", "There")
    assert read.graph.relations == ("same_basket",) and read.encode.dim == 16


def test_nothing_said_is_the_defaults() -> None:
    assert read_settings(None) == RunConfig()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("train.step=7", "unknown key 'train.step' (in defaults and --set). Did you mean 'steps'?"),
        ("train", "--set 'train' is not KEY=VALUE. For example train.steps=200."),
        ("=3", "--set '=3' is not KEY=VALUE. For example train.steps=200."),
        ("name.first=a", "name is {'first': 'a'}"),
        ("graph.relations=same_basket", "graph.relations is 'same_basket'"),
        ('graph.relations=["same_baskets"]', "unknown relation 'same_baskets'. Did you mean 'same_basket'?"),
        ("train.steps=0", "out of range"),
        ("encode.dim=-1", "out of range"),
        ("retrieve.method=spectrl", "unknown retrieve.method 'spectrl'. Did you mean 'spectral'?"),
        ("retrieve.metod=dual", "unknown key 'retrieve.metod' (in defaults and --set). Did you mean 'method'?"),
        ("spectral.rank=0", "spectral.rank is 0"),
        ("evaluate.k=3", "k = 3 is not one of ks"),
        ("serve.port=70000", "serve.port is 70000"),
    ],
)
def test_faults_name_the_value(value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(None, [value])
    assert sentence in str(caught.value)


def test_a_section_in_a_value(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('name = "x"')
    with pytest.raises(ConfigError, match="'name' is a value, not a section"):
        read_settings(tmp_path / "run.toml", ["name.first=a"])
