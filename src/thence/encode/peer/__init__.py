"""Published methods, written afresh from their formulas, as usable as ours.

Those that need no training loop are functions from a graph to a scorer, as the plain baselines are:
:data:`PEERS` names them and :data:`PEER_GRIDS` holds what to choose among on validation. Those that are trained
are encoders in files of their own; ``thence.train.recipes`` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thence.encode.scorer import Scorer

PEERS: Mapping[str, Callable[..., Scorer]] = {}

PEER_GRIDS: Mapping[str, tuple[dict[str, Any], ...]] = {}
