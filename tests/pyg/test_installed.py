"""Without PyG, or with one of another age, the message says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch_geometric

from thence.base.errors import ConfigError
from thence.pyg import RELEASE
from thence.pyg._installed import installed

ABSENT = """
import sys
sys.modules["torch_geometric"] = None
try:
    import thence.pyg
except Exception as error:
    print(type(error).__name__, error)
"""


def test_the_installed_release_is_told() -> None:
    assert torch_geometric.__version__ == RELEASE == installed()


def test_without_pyg_the_extra_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", ABSENT], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ConfigError thence.pyg needs torch-geometric")
    assert "pip install 'thence[pyg]'" in done.stdout


@pytest.mark.parametrize("release", ["2.5.3", "1.7.2", "3.0.0", "unknown"])
def test_a_release_of_another_age_is_refused(monkeypatch, release) -> None:
    monkeypatch.setattr(torch_geometric, "__version__", release)
    with pytest.raises(ConfigError, match=rf"torch-geometric is {release}; thence.pyg knows 2.6 to below 3.0"):
        installed()


@pytest.mark.parametrize("release", ["2.6.0", "2.9.1", "2.10.0.dev1"])
def test_a_release_of_this_age_is_taken(monkeypatch, release) -> None:
    monkeypatch.setattr(torch_geometric, "__version__", release)
    assert installed() == release
