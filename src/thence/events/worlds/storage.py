"""Worlds on disk: the log and the catalogue as Parquet, the truth as arrays, in one artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thence.base.artifact import Artifact, open_artifact, write_artifact
from thence.base.errors import ArtifactError, ThenceError
from thence.base.ids import IdMap
from thence.events.worlds.config import WorldConfig
from thence.events.worlds.effects import Effects
from thence.events.worlds.truth import Exposures, Truth, arrays_of

if TYPE_CHECKING:
    from thence.events.worlds.world import World

KIND = "world"


def save_world(world: World, folder: str | Path) -> None:
    """Write a world as an artifact; see :meth:`World.save`."""
    truth = world.truth
    with write_artifact(folder, KIND) as draft:
        draft.table("events", world.events)
        draft.table("items", world.items)
        for prefix, part in (("truth", truth), ("exposures", truth.exposures), ("effects", truth.effects)):
            for name, array in arrays_of(part).items():
                draft.array(f"{prefix}.{name}", array)
        draft.counts.update(
            events=world.events.num_rows, items=world.items.num_rows, exposures=len(truth.exposures)
        )
        draft.config.update(
            world=world.config.to_dict(),
            seed=world.seed,
            campaign=[truth.effects.begin, truth.effects.end],
            span=list(truth.span),
            taste_reuse=truth.taste_reuse,
        )


def load_world(folder: str | Path) -> World:
    """Open a saved world; see :meth:`World.load`."""
    from thence.events.worlds.world import World

    art = open_artifact(folder, KIND)
    try:
        items = art.table("items")
        begin, end = art.config["campaign"]
        truth = Truth(
            ids=IdMap(items["item_id"]),
            exposures=Exposures(**_arrays(art, "exposures")),
            effects=Effects(**_arrays(art, "effects"), begin=begin, end=end),
            **_arrays(art, "truth"),
            span=(int(art.config["span"][0]), int(art.config["span"][1])),
            taste_reuse=float(art.config["taste_reuse"]),
        )
        config = WorldConfig.from_dict(art.config["world"])
        return World(config, int(art.config["seed"]), art.table("events"), items, truth)
    except (KeyError, TypeError, ValueError, ThenceError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"inconsistent world: {error}", where=folder) from error


def _arrays(art: Artifact, prefix: str) -> dict[str, Any]:
    """The arrays of one part, by the name after the prefix."""
    mine = [name for name in art.files if name.startswith(f"{prefix}.") and name.endswith(".npy")]
    return {name.removeprefix(f"{prefix}.").removesuffix(".npy"): art.array(name[:-4]) for name in mine}
