"""Conversion models: rows a second, weights a second, what a correction costs a step, 16 M exposures streamed.

    python bench/conversion.py [--quick] [--only train bookkeeping corrections sizes stream] [--methods NAME…]

Rows a second are wall time on two threads unless ``one_thread`` is said; ``cpu_second`` counts the seconds of
all threads, which other work on the machine leaves alone. Weights and steps are CPU time on one thread.
``over_plain`` is a whole refresh (view, weights, training) over a loop of plain PyTorch with the same network,
the same gradient rows, torch's own sparse Adam, and no correction, run in turn with it: ``step`` at 10,000
exposures a refresh (33,000 without ``--quick``), ``step_hour`` and ``step_day`` at 22,000 and 530,000, the
volume of the Criteo log. ``--methods`` measures the steps of these estimators alone.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse

import torch

from common import run
from parts import conversion_speed, conversion_stream
from thence.conversion.delayed import ESTIMATORS

Arguments = argparse.Namespace


def more(parser: argparse.ArgumentParser) -> None:
    """Arguments that this bench alone takes."""
    every = list(ESTIMATORS)
    parser.add_argument("--methods", nargs="+", choices=every, default=every, help="steps of these alone")


PARTS = {
    "train": lambda arguments: conversion_speed.training(arguments.quick),
    "bookkeeping": lambda arguments: conversion_speed.bookkeeping(arguments.quick),
    "corrections": lambda arguments: conversion_speed.corrections(arguments.quick, arguments.methods),
    "sizes": lambda arguments: conversion_speed.sizes(arguments.quick, arguments.methods),
    "stream": lambda arguments: conversion_stream.figures(arguments.quick),
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    run("conversion", PARTS, doc=__doc__ or "", more=more)
