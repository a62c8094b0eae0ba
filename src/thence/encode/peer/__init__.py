"""Published methods, written afresh from their formulas, as usable as ours.

Those that need no training loop are functions from a graph to a scorer, as the plain baselines are:
:data:`PEERS` names them and :data:`PEER_GRIDS` holds what to choose among on validation. Those that are trained
are encoders in files of their own; ``thence.train.recipes`` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thence.encode.known import checked
from thence.encode.peer.app import app
from thence.encode.peer.ease import ease
from thence.encode.peer.hope import hope
from thence.encode.peer.nerd import nerd
from thence.encode.peer.projection import projection
from thence.encode.peer.strap import strap
from thence.encode.scorer import Scorer

PEERS: Mapping[str, Callable[..., Scorer]] = checked(
    {
        "hope": hope,
        "strap": strap,
        "app": app,
        "nerd": nerd,
        "ease": ease,
        "projection": projection,
    }
)

PEER_GRIDS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "hope": tuple({"dim": dim, "decay": decay} for dim in (128, 256) for decay in (0.5, 0.8)),
    "strap": tuple({"dim": dim, "alpha": alpha} for dim in (128, 256) for alpha in (0.5, 0.7, 0.85)),
    "app": tuple({"alpha": alpha, "noise_power": power} for alpha in (0.5, 0.8) for power in (0.0, 0.5)),
    "nerd": tuple({"hops": hops} for hops in (1, 2, 3)),
    "ease": tuple(
        {"ridge": ridge, "reverse": reverse, "out_power": power, "in_power": power}
        for reverse in (0.0, 0.5)
        for ridge, power in ((16.0, 0.0), (64.0, 0.0), (8.0, 0.3), (32.0, 0.3))
    ),
    "projection": tuple({"target_power": power, "back": back} for power in (0.0, 0.3) for back in (0.0, 0.2)),
}
