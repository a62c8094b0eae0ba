"""The command line: one file per verb."""

from thence.cli.app import main

__all__ = ["main"]
