"""Simulated marketplaces with known truth, at any size, from a seed."""

from thence.events.worlds.campaigns import Campaign
from thence.events.worlds.ceiling import Ceiling
from thence.events.worlds.config import WorldConfig
from thence.events.worlds.delays import Delay
from thence.events.worlds.effects import Effects
from thence.events.worlds.truth import Exposures, Truth
from thence.events.worlds.world import World, simulate

__all__ = [
    "Campaign",
    "Ceiling",
    "Delay",
    "Effects",
    "Exposures",
    "Truth",
    "World",
    "WorldConfig",
    "simulate",
]
