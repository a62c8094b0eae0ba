"""``thence serve RUN --conversion MODEL``: the bundle is served with that model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.serve.shop import bundle
from typer.testing import CliRunner

from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.serve import Bundle


def test_a_saved_model_is_served_with_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer import Typer

    from thence.cli.serve import serve

    code = np.arange(100)[:, None] % 2
    ends = np.where(code[:, 0] == 1, np.arange(100) + 1, NEVER)
    shown = Exposures.make(np.arange(100), ends, window=5, features=Features(code, np.zeros((100, 0)), (2,)))
    model = ConversionModel("wait", net=NetConfig("logistic"), learn=LearnConfig(50, passes=1)).fit(shown)
    model.save(tmp_path / "model")
    bundle().save(tmp_path / "bundle")
    served: list[Bundle] = []
    monkeypatch.setattr("thence.serve.run", lambda origin, **_: served.append(origin.load()))
    app = Typer()
    app.command()(serve)
    runner = CliRunner()
    asked = [str(tmp_path / "bundle"), "--conversion", str(tmp_path / "model")]
    assert runner.invoke(app, asked, catch_exceptions=False).exit_code == 0
    assert served[0].conversion is not None and served[0].conversion.version == model.version
    assert runner.invoke(app, asked[:1], catch_exceptions=False).exit_code == 0
    assert served[1].conversion is None
