"""What a user meets when something goes wrong, and what a script reads."""

from __future__ import annotations

import io
import json
import sys

import pytest

from thence.base.errors import ConfigError, DataError
from thence.cli import app as application
from thence.cli import main
from thence.cli.console import plain
from thence.cli.progress import Bars, Lines, progress_shown


def outcome(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err  # type: ignore[return-value]


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(application, "app", broken)


def test_a_fault_of_the_user_is_one_line_and_code_2(capsys, monkeypatch) -> None:
    raising(monkeypatch, DataError("no rows", where="a.csv", fix="Add some."))
    assert outcome(["ingest"], capsys) == (2, "", "error: no rows (in a.csv). Add some.\n")


def test_with_json_it_is_an_object_too(capsys, monkeypatch) -> None:
    raising(monkeypatch, ConfigError("bad k", where="a.toml"))
    code, out, err = outcome(["evaluate", "--json"], capsys)
    assert code == 2 and err == "error: bad k (in a.toml)\n"
    assert json.loads(out) == {
        "error": {"kind": "ConfigError", "what": "bad k", "where": "a.toml", "fix": None}
    }


def test_a_fault_of_ours_is_code_1_without_a_traceback(capsys, monkeypatch) -> None:
    raising(monkeypatch, ZeroDivisionError("division by zero"))
    code, out, err = outcome(["train"], capsys)
    assert (code, out) == (1, "")
    assert err.startswith("error: ZeroDivisionError: division by zero\n") and "--debug" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), DataError("x")])
def test_debug_shows_the_traceback(monkeypatch, error: Exception) -> None:
    raising(monkeypatch, error)
    with pytest.raises(type(error)):
        main(["train", "--debug"])
    monkeypatch.setenv("THENCE_DEBUG", "1")
    with pytest.raises(type(error)):
        main(["train"])


def test_interrupted_is_130(capsys, monkeypatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    assert outcome(["serve"], capsys) == (130, "", "error: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["ingets"], "Did you mean 'ingest'"),
        (["graph", "stat"], "Did you mean 'stats'"),
        (["ingest", "a.csv"], "--into"),
        (["recommend", "runs/shop"], "item"),
        (["serve", "runs/shop", "--port", "99999"], "--port"),
        (["train", "runs/shop", "--sets", "a=1"], "--set"),
    ],
)
def test_wrong_usage_is_code_2_with_a_hint(capsys, arguments: list[str], part: str) -> None:
    code, out, err = outcome(arguments, capsys)
    assert code == 2 and out == "" and part in err and "Traceback" not in err


VERBS = [["ingest"], ["train"], ["evaluate"], ["recommend"], ["serve"]]
VERBS += [["index"], ["quantize"], ["distill"], ["export"]]
VERBS += [["graph", verb] for verb in ("build", "stats", "append", "sparsify", "partition", "reorder")]


@pytest.mark.parametrize("verb", [*VERBS, ["run"], ["demo"]], ids=" ".join)
def test_the_help_of_every_verb_shows_an_example(capsys, verb: list[str]) -> None:
    code, out, _ = outcome([*verb, "--help"], capsys)
    assert code == 0 and "Example:" in out and f"thence {' '.join(verb)}" in out


def test_the_version(capsys) -> None:
    code, out, _ = outcome(["--version"], capsys)
    assert code == 0 and out.startswith("thence 0.")


def test_lines_tell_what_is_finished(monkeypatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    lines = Lines()
    for done in range(4):
        lines("arcs", done, 3)
    lines("rows", 5, None)
    lines("rows", 1000, 1000)
    assert [line.split(" in ")[0] for line in stream.getvalue().splitlines()] == ["arcs: 3", "rows: 1,000"]


def test_lines_tell_how_far_a_long_task_is(monkeypatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    clock = iter([0.0, 5.0, 16.0, 20.0, 40.0])
    monkeypatch.setattr("thence.cli.progress.time.monotonic", lambda: next(clock))
    lines = Lines(every=15.0)
    for done in range(1, 5):
        lines("train", done, 9)
    lines("train", 9, 9)
    assert stream.getvalue() == "train: 3 of 9 after 16 s\ntrain: 9 in 40.0 s\n"


def test_bars_follow_their_tasks() -> None:
    from rich.console import Console
    from rich.progress import Progress

    rich = Progress(console=Console(file=io.StringIO(), force_terminal=True))
    bars = Bars(rich)
    bars("arcs", 1, None)
    bars("rows", 2, 8)
    bars("arcs", 3, 4)
    assert [(task.description, task.completed, task.total) for task in rich.tasks] == [
        ("arcs", 3, 4),
        ("rows", 2, 8),
    ]


def test_without_a_terminal_there_are_lines() -> None:
    with progress_shown() as progress:
        assert isinstance(progress, Lines)


def test_plain_values() -> None:
    import numpy as np

    value = {"a": np.float32(0.5), 2: np.array([1, 2]), "n": np.float64("nan"), "t": (1, None)}
    assert plain(value) == {"a": 0.5, "2": [1, 2], "n": None, "t": [1, None]}
