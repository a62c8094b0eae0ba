"""The service under load, beside a plain FastAPI and faiss script under the same load.

    python bench/serve.py --quick
    python bench/serve.py --only soak
    python bench/serve.py | tail -1 >> bench/results.jsonl

Client and server share the machine. Requests leave at a constant rate, and latency counts from when each was
meant to leave. ``cpu_ms_per_request`` is CPU time of the server's process, all threads; the rest is wall time.
``peer`` has the load of ``ann``, ``peer_table`` that of ``table``; both answer ids, titles and scores alone,
where thence sends the evidence behind each answer.
"""

from __future__ import annotations

from common import run
from parts.serving import PARTS

if __name__ == "__main__":
    run("serve", PARTS, doc=__doc__ or "", seeds=1)
