"""A service whose patience is short, so that tests of slow clients are not. Run by test_hostile.py."""

from __future__ import annotations

import sys

from thence.serve import run, security, wire

if __name__ == "__main__":
    wire.HEAD_SECONDS, wire.READ_SECONDS, security.BODY_SECONDS = 1.0, 1.5, 1.0
    run(sys.argv[1], port=int(sys.argv[2]), token="0123456789abcdef")
