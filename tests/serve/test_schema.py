"""The service against its own description: what it says it answers it answers, and it refuses the rest.

Requests are made up from the OpenAPI description: its examples, the edges of every range, right and wrong
values, unknown methods and media types, and chains in which one answer feeds the next request. Every check that
there is looks at the answers (Hatfield-Dodds and Dygalo, Deriving semantics-aware fuzzers from web API schemas,
ICSE 2022).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis import engine
from schemathesis.engine import events
from tests.serve.whole import whole

from thence.serve import Origin, Store, create_app
from thence.serve.access import Access
from thence.serve.origin import Reloader

TOKEN = "0123456789abcdef"
SHADED = ("/v1/related/batch", "/v1/related/history")
"""An item could have this name, so that GET is answered there too, by another route."""
PHASES = {"examples", "coverage", "fuzzing", "stateful"}


def told(folder: Path, settings: dict[str, Any]) -> tuple[Counter[str], Counter[int], list[str]]:
    """Cases by phase, answers by status, and what was found, of one run over a service with every part."""
    whole().save(folder)
    store = Store()
    reloader = Reloader(store, Origin(folder))
    reloader.reload()
    app = create_app(store, Access(TOKEN, names=frozenset({"testserver"})), reloader)
    # What is accepted depends on what is loaded: a category that is right by its form may be unknown, a 422.
    semantic = {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422]}}
    shaded = {"allow_header_conformance": {"enabled": False}}
    config = schemathesis.Config.from_dict(
        {
            "seed": 8,
            "workers": 1,
            "continue-on-failure": True,
            "auth": {"openapi": {"HTTPBearer": {"bearer": TOKEN}}},
            "checks": semantic,
            "operations": [{"include-path": path, "checks": shaded} for path in SHADED],
            **settings,
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    cases: Counter[str] = Counter()
    answers: Counter[int] = Counter()
    faults: list[str] = []
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            faults.append(str(vars(event) if hasattr(event, "__dict__") else event))
        if not isinstance(event, events.ScenarioFinished):
            continue
        cases[event.phase.value] += len(event.recorder.cases)
        answers.update(one.response.status_code for one in event.recorder.interactions.values() if one.response)
        faults += [
            f"{event.phase.value} {check.name}: {check.failure_info.failure.message}\n"
            f"{check.failure_info.code_sample}"
            for checks in event.recorder.checks.values()
            for check in checks
            if check.failure_info is not None
        ]
    return cases, answers, faults


def generation(examples: int) -> dict[str, Any]:
    return {"max-examples": examples, "deterministic": True, "database": "none"}


def looked_at(folder: Path, settings: dict[str, Any], least: int) -> Counter[str]:
    cases, answers, faults = told(folder, settings)
    assert not faults, "\n\n".join(faults[:5])
    assert sum(cases.values()) >= least and not any(status >= 500 for status in answers), (cases, answers)
    assert answers[200] > least / 10 and answers[422] > least / 10
    return cases


def test_answers_are_as_described(tmp_path: Path) -> None:
    """A few of each: examples, made up, in chains."""
    settings = {"generation": generation(7), "phases": {"coverage": {"enabled": False}}}
    cases = looked_at(tmp_path / "shop", settings, 130)
    assert set(cases) >= PHASES - {"coverage"}


@pytest.mark.slow
def test_answers_are_as_described_in_two_thousand_cases(tmp_path: Path) -> None:
    settings = {
        "generation": generation(60),
        "phases": {"coverage": {"generate-duplicate-query-parameters": True}},
    }
    cases = looked_at(tmp_path / "shop", settings, 2000)
    print("\n", dict(cases))
    assert set(cases) >= PHASES
