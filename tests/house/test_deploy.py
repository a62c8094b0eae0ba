"""The files for operators say what the program understands."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from tests.house.source import ROOT

from thence.cli.serve_settings import serve_settings
from thence.cli.settings import read_settings

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"\b(THENCE_SERVE_[A-Z_]+)=(\S+)", text))


def test_the_settings_are_understood(tmp_path: Path) -> None:
    assert serve_settings({"settings": DEPLOY / "serve.yaml"}, {}).watch == 30
    assert read_settings(DEPLOY / "shop.toml").into == Path("/var/lib/thence/runs/shop")


def test_the_container_runs_as_nobody_with_settings_that_are_known() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    last = text[text.rindex("FROM ") :]
    found = serve_settings({}, variables(last))
    assert (found.host, found.log, str(found.run)) == ("0.0.0.0", "json", "/srv/run")
    assert found.token_file is not None  # without it a public address is refused
    assert re.search(r"^USER 10001$", last, re.M) and "HEALTHCHECK" in last and "/health/live" in last
    assert text.count("FROM ") == 2 and "--constraint constraints.txt" in text
    for name in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        assert all((ROOT / part).exists() for part in name.split()), name


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_the_units_run_verbs_that_are_there_with_few_rights(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(path.read_text())
    service = unit["Service"]
    assert service["ExecStart"].split()[:1] == ["/opt/thence/bin/thence"]
    assert service["ExecStart"].split()[1] in ("serve", "run") and service["User"] == "thence"
    assert service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict"
    serve_settings({}, {name: value for name, value in variables(path.read_text()).items() if "%" not in value})
