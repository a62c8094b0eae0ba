"""Settings: every fault is a sentence that names the key and what to do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from thence.base.config import check_config, load_config
from thence.base.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Window:
    days: float = 28.0
    relations: tuple[str, ...] = ("basket",)


class Part(BaseModel):
    name: str
    share: float = Field(default=0.5, ge=0, le=1)


class Settings(BaseModel):
    window: Window = Window()
    parts: list[Part] = []
    named: dict[str, Part] = {}
    spare: Part | None = None
    epochs: int = 10


def load(tmp_path: Path, text: str, suffix: str = ".toml", model: type = Settings):
    path = tmp_path / f"run{suffix}"
    path.write_text(text, encoding="utf-8")
    return load_config(path, model)


def test_toml_and_yaml_give_the_same_settings(tmp_path: Path) -> None:
    toml = load(tmp_path, 'epochs = 3\n[window]\ndays = 7\nrelations = ["after"]\n[[parts]]\nname = "a"\n')
    yaml = load(tmp_path, "epochs: 3\nwindow:\n  days: 7\n  relations: [after]\nparts:\n- name: a\n", ".yaml")
    assert toml == yaml == Settings(epochs=3, window=Window(7.0, ("after",)), parts=[Part(name="a")])


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "") == load(tmp_path, "", ".yml") == Settings()


def test_a_plain_dataclass_is_a_model_too(tmp_path: Path) -> None:
    assert load(tmp_path, "days = 2", model=Window) == Window(days=2.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epoch = 3", "unknown key 'epoch' (in {}). Did you mean 'epochs'?"),
        ("[window]\ndais = 3", "unknown key 'window.dais' (in {}). Did you mean 'days'?"),
        ("[[parts]]\nname='a'\nshar=1", "unknown key 'parts.0.shar' (in {}). Did you mean 'share'?"),
        ("[named.x]\nname='a'\nnme=1", "unknown key 'named.x.nme' (in {}). Did you mean 'name'?"),
        ("[spare]\nname='a'\nshore=1", "unknown key 'spare.shore' (in {}). Did you mean 'share'?"),
        ("colour = 1", "unknown key 'colour' (in {}). Known: epochs, named, parts, spare, window."),
        ("[[parts]]\nshare=1", "key 'parts.0.name' is missing (in {}). Add it."),
        ("epochs = 'ten'\nepoch = 1", "unknown key 'epoch' (1 more fault) (in {}). Did you mean 'epochs'?"),
    ],
)
def test_the_sentence_names_the_key_and_the_nearest(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == sentence.format(tmp_path / "run.toml")


@pytest.mark.parametrize(
    ("text", "suffix", "part"),
    [
        ("epochs = 'ten'", ".toml", "epochs is 'ten': input should be a valid integer"),
        (
            "[[parts]]\nname='a'\nshare=2",
            ".toml",
            "parts.0.share is 2: input should be less than or equal to 1",
        ),
        ("window = 3", ".toml", "window is 3"),
        ("epochs = ", ".toml", "not valid TOML"),
        ("a: [1", ".yaml", "not valid YAML at line 1"),
        ("- 1", ".yaml", "not names with values"),
        ("1: 2", ".yaml", "not names with values"),
        ("just words", ".yaml", "not names with values"),
        ("epochs=1", ".ini", "settings in a .ini file"),
        ("!!python/object/apply:os.getpid []", ".yaml", "not valid YAML"),
        ("2024-13-45: 1", ".yaml", "not valid YAML"),
    ],
)
def test_faults_of_form_and_value(tmp_path: Path, text: str, suffix: str, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, suffix)
    assert part in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "absent.toml", Settings)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path / "bytes.toml", Settings)


def test_settings_at_hand_are_checked_alike() -> None:
    assert check_config({"epochs": 4}, Settings).epochs == 4
    with pytest.raises(ConfigError, match=r"unknown key 'epoch' \(in the manifest\)\. Did you mean 'epochs'\?"):
        check_config({"epoch": 4}, Settings, where="the manifest")
