"""What the service counts, for Prometheus: seconds by route and model, answers by what produced them."""

from __future__ import annotations

import logging
import secrets
import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thence.serve.access import API
from thence.serve.log import REQUESTS, told
from thence.serve.store import Store

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"


class Metrics:
    """Counters of one service; a registry of its own, so that two services do not share figures.

    Example:
        >>> metrics = Metrics()
        >>> metrics.answered("related", "model")
        >>> 'thence_answers_total{answered_by="model",question="related"} 1.0' in metrics.text()
        True
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "thence_request_seconds",
            "Seconds from the first byte of a request to the last of its answer.",
            ("route", "model_version"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._requests = Counter(
            "thence_requests", "Requests by status.", ("route", "status"), registry=self.registry
        )
        self._answers = Counter(
            "thence_answers",
            "Answers by what produced them.",
            ("question", "answered_by"),
            registry=self.registry,
        )

    def answered(self, question: str, route: str) -> None:
        """Count one answer by the route that produced it."""
        self._answers.labels(question, route).inc()

    def asked(self, route: str, model_version: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._seconds.labels(route, model_version).observe(seconds)
        self._requests.labels(route, str(status)).inc()

    def text(self) -> str:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry).decode()


class Measured:
    """ASGI middleware that counts every request. Unknown paths are one route, so that labels stay few."""

    def __init__(self, app: ASGIApp, metrics: Metrics, store: Store) -> None:
        self.app, self.metrics, self.store = app, metrics, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500
        version = self.store.version if self.store.ready else ""  # while models change: that of the answer
        request_id = secrets.token_hex(8) if REQUESTS.isEnabledFor(logging.INFO) else ""

        async def passed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if request_id:
                    MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, passed)
        finally:
            route = getattr(scope.get("route"), "path", OTHER)
            if scope["path"].startswith(f"{API}/") and route != OTHER:
                route = API + route.removeprefix(API)  # a route may know its prefix or not
            seconds = time.perf_counter() - begun
            self.metrics.asked(route, version, status, seconds)
            if request_id:
                fields = {
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "ms": round(1000 * seconds, 3),
                    "model_version": version,
                    "request_id": request_id,
                }
                words = " ".join(f"{name}={value}" for name, value in fields.items())
                REQUESTS.info(words, extra=told("request", fields))
