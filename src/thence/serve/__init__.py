"""The service: a bundle in, answers over HTTP and a page to look at them."""

from thence.serve.app import create_app
from thence.serve.bundle import Bundle
from thence.serve.models import Models
from thence.serve.origin import Origin
from thence.serve.run import run
from thence.serve.store import Store

__all__ = ["Bundle", "Models", "Origin", "Store", "create_app", "run"]
