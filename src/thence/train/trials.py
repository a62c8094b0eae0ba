"""What tuning leaves: trials, one after the other in a journal, and the study that they make up.

The journal is a text file with one JSON object a line. Each line is written and fsynced when its trial is done,
so that a process that is killed loses the trial that it was at and nothing else; half a line at the end is
cut off when the journal is opened again.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError

KIND = "study"
DONE, STOPPED, FAILED = "done", "stopped", "failed"


@dataclass(frozen=True)
class Budget:
    """What each method may spend, ours as well as everybody else's.

    Args:
        trials: the most trials of a method.
        seconds: no trial of a method begins once its trials have taken so many CPU seconds; None for no limit.
    """

    trials: int = 20
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.trials < 1 or (self.seconds is not None and not self.seconds > 0):
            raise ConfigError(f"out of range: {self}", fix="Give at least 1 trial, and seconds above 0.")


@dataclass(frozen=True)
class Trial:
    """One setting of one method, tried.

    Args:
        method: its name.
        number: 0 for the method's own defaults, then counted on.
        settings: flat, as :func:`~thence.train.methods.fit_method` takes them.
        state: ``done``, ``stopped`` (it fell behind the median of the others and was given up) or ``failed``.
        value: the best value on validation; None for a trial that failed.
        seconds: CPU seconds that it took.
        steps: of training, at its best value; 0 for methods that are not trained.
        history: values of the validations of one training, in order.
        error: why it failed.
    """

    method: str
    number: int
    settings: Mapping[str, Any]
    state: str
    value: float | None
    seconds: float
    steps: int = 0
    history: tuple[float, ...] = ()
    error: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """All trials on one graph.

    Args:
        trials: in the order in which they were made, method by method.
        info: what was tuned on what, JSON-able.

    Example:
        >>> Study([Trial("lift", 0, {"power": 0.1}, "done", 0.25, 1.5)])
        Study(1 methods, 1 trials, 1.5 CPU seconds)
    """

    trials: list[Trial]
    info: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line with the counts."""
        seconds = sum(trial.seconds for trial in self.trials)
        return f"Study({len(self.methods)} methods, {len(self.trials)} trials, {seconds:,.1f} CPU seconds)"

    @property
    def methods(self) -> list[str]:
        """Names of the methods that were tried."""
        return list(dict.fromkeys(trial.method for trial in self.trials))

    def best(self, method: str) -> Trial:
        """The trial of a method with the largest value; the earliest of equal ones.

        Raises:
            DataError: the method was not tried, or each of its trials failed.
        """
        tried = [trial for trial in self.trials if trial.method == method]
        valued = [(trial.value, -trial.number, trial) for trial in tried if trial.value is not None]
        if not valued:
            why = f": {tried[0].error}" if tried else f"; tried: {', '.join(self.methods) or 'none'}"
            raise DataError(f"{method!r} has no trial that came to an end{why}")
        return max(valued, key=lambda one: one[:2])[2]

    def succeeded(self) -> list[str]:
        """Names of the methods of which a trial came to an end."""
        return [
            name for name in self.methods if any(t.method == name and t.value is not None for t in self.trials)
        ]

    def summary(self) -> dict[str, Any]:
        """What was found, JSON-able: by method the best settings, what they reached, and what it took."""
        found: dict[str, Any] = {}
        for name in self.methods:
            tried = [trial for trial in self.trials if trial.method == name]
            entry: dict[str, Any] = {"trials": len(tried), "seconds": sum(trial.seconds for trial in tried)}
            if name in self.succeeded():
                best = self.best(name)
                entry |= {"value": best.value, "settings": dict(best.settings), "steps": best.steps}
                entry |= {"default_value": tried[0].value, "number": best.number}
            found[name] = entry
        return found

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``study``."""
        with write_artifact(folder, KIND) as draft:
            draft.counts.update(methods=len(self.methods), trials=len(self.trials))
            draft.config.update(trials=[asdict(trial) for trial in self.trials], info=dict(self.info))

    @classmethod
    def load(cls, folder: str | Path) -> Study:
        """Open a saved study.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or no study.
        """
        art = open_artifact(folder, KIND)
        try:
            return cls([_trial(line) for line in art.config["trials"]], dict(art.config["info"]))
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"inconsistent study: {error}", where=folder) from error


class Journal:
    """Trials on disk, one line each; the first line says what they are trials of.

    Args:
        path: the file; made when it is not there. None keeps them in memory only.
        signature: what the trials hang on, JSON-able: data, seed, settings that all trials share.

    Raises:
        ArtifactError: it is of something else, or a line that is not the last cannot be read.
    """

    def __init__(self, path: str | Path | None, signature: Mapping[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self.trials: list[Trial] = []
        if self.path is None:
            return
        lines = self._whole_lines()
        if not lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append({"signature": signature})
            return
        if lines[0].get("signature") != json.loads(json.dumps(signature)):
            raise ArtifactError(
                "the journal is of other data or settings", where=path, fix="Remove it to start afresh."
            )
        try:
            self.trials = [_trial(line) for line in lines[1:]]
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"a line is no trial: {error}", where=path, fix="Remove the file.") from error

    def of(self, method: str) -> list[Trial]:
        """The trials of one method so far."""
        return [trial for trial in self.trials if trial.method == method]

    def add(self, trial: Trial) -> None:
        """Note one more trial; it is on disk when this returns."""
        self.trials.append(trial)
        if self.path is not None:
            self._append(asdict(trial))

    def _append(self, line: Mapping[str, Any]) -> None:
        assert self.path is not None
        with self.path.open("ab") as file:
            file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _whole_lines(self) -> list[dict[str, Any]]:
        """All lines that were written whole; what follows the last of them is cut off."""
        assert self.path is not None
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            raise ArtifactError(
                f"not a journal of trials: {error}", where=self.path, fix="Remove the file."
            ) from error
        if not all(isinstance(line, dict) for line in lines):
            raise ArtifactError("not a journal of trials", where=self.path, fix="Remove the file.")
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        return lines


def _trial(line: Mapping[str, Any]) -> Trial:
    trial = Trial(**{**line, "history": tuple(line["history"])})
    if trial.value is not None and not math.isfinite(trial.value):
        raise TypeError(f"value {trial.value}")
    return trial
