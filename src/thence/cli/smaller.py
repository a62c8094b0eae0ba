"""The last stage of a run: the smaller and faster forms that its settings ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from thence.base.progress import Progress
from thence.cli.distill import taught
from thence.cli.index import built
from thence.cli.quantize import check_codes, coded
from thence.cli.settings import FormsSection, RunConfig

if TYPE_CHECKING:
    from thence.evaluate.tradeoff import Tradeoff

RECALL, FLOOR, LISTS = 0.95, 0.9, 0.97
"""What the verbs ask for by default: of an index, of its floor, and of codes."""


def check_forms(section: FormsSection) -> None:
    """Raise ConfigError for a kind that does not exist, before hours are spent on the model.

    Example:
        >>> check_forms(FormsSection(index="ivf_qp"))
        Traceback (most recent call last):
        thence.base.errors.ConfigError: unknown kind of index 'ivf_qp'. Did you mean 'ivf_pq'?...
    """
    from thence.index.report import check_kind

    if section.index:
        check_kind(section.index)
    if section.codes:
        check_codes(section.codes)


def make_forms(folder: Path, config: RunConfig, progress: Progress) -> Tradeoff | None:
    """Make what ``config.forms`` asks for of a run that stands; None where it asks for nothing.

    An index and a student are laid into the run's bundle; all are judged beside the model on one page.

    Raises:
        ThenceError: one cannot be made.
    """
    section = config.forms
    if section == FormsSection():
        return None
    from thence.cli.forms import Subject

    subject, forms = Subject.open(folder), []
    if section.index:
        auto = section.index == "auto"
        forms += built(subject, section.index, RECALL, floor=FLOOR, allow_exact=auto, progress=progress)[1]
    if section.codes:
        forms += coded(subject, section.codes, LISTS, progress)[1]
    if section.student:
        forms += taught(subject, config, progress)[1]
    return subject.tradeoff(*forms)
