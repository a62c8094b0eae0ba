"""What the service says while it runs: a line a request and a line for each change of what is live.

A line never holds what was asked: no query, no id, no token, and of a path only the route that answered. The
model's version and the request's id, which the answer carries as ``x-request-id``, tie the two together.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

LOG = logging.getLogger("thence.serve")
REQUESTS = logging.getLogger("thence.serve.requests")
UVICORN = logging.getLogger("uvicorn.error")
REQUESTS.setLevel(logging.WARNING)  # silent until somebody listens
Form = Literal["text", "json"]


def told(event: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields of a line, for the argument ``extra`` of a logger's method.

    Example:
        >>> told("live", {"model_version": "4b01"})
        {'event': 'live', 'fields': {'model_version': '4b01'}}
    """
    return {"event": event, "fields": dict(fields or {})}


class Lines(logging.Formatter):
    """One line a record: a JSON object, or time, level and words."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form

    def format(self, record: logging.LogRecord) -> str:
        """The line; line breaks within it are escaped.

        Example:
            >>> fields = {"msg": "live: 4b01", "created": 0.0, "levelname": "INFO", **told("live")}
            >>> record = logging.makeLogRecord(fields)
            >>> json.loads(Lines("json").format(record))["event"]
            'live'
            >>> Lines("text").format(record)
            '1970-01-01T00:00:00.000Z info live: 4b01'
        """
        moment = datetime.fromtimestamp(record.created, UTC)
        time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level, words = record.levelname.lower(), record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else None
        if self.form == "text":
            return f"{time} {level} {words}".replace("\n", "\\n") + (f"\n{trace}" if trace else "")
        event = getattr(record, "event", "message")
        line = {"time": time, "level": level, "event": event, **getattr(record, "fields", {})}
        if event != "request":
            line["words"] = words
        return json.dumps(line | ({"trace": trace} if trace else {}))


@contextmanager
def logging_as(form: Form | None) -> Iterator[None]:
    """Write the service's lines to standard error in this form; None leaves logging as it is."""
    if form is None:
        yield
        return
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(form))
    loggers = [LOG, UVICORN]
    before = [(logger, logger.handlers[:], logger.propagate, logger.level) for logger in (*loggers, REQUESTS)]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    LOG.setLevel(logging.INFO)
    REQUESTS.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, handlers, propagate, level in before:
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
