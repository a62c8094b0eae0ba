"""One service for all tests of the room."""

from __future__ import annotations

import pytest
from tests.serve.shop import Client, bundle

from thence.serve import create_app


@pytest.fixture(scope="session")
def client() -> Client:
    return Client(create_app(bundle()))
