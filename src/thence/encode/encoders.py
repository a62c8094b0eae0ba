"""Encoders of nodes by name: ``forward(x [n, inputs], view) -> [n, dim]``, each with its width as ``dim``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from thence.base.config import check_config
from thence.base.errors import ConfigError, nearest
from thence.encode.layer.stack import Stack, StackConfig
from thence.encode.transformer.directed import DirectedConfig, DirectedTransformer
from thence.encode.transformer.gps import GPS, GPSConfig
from thence.encode.transformer.nagphormer import NAGphormer, NAGphormerConfig
from thence.encode.transformer.polynormer import Polynormer, PolynormerConfig
from thence.encode.transformer.sgformer import SGFormer, SGFormerConfig


@dataclass(frozen=True)
class EncoderRecipe:
    """How an encoder is made.

    Args:
        config: dataclass of its settings, which checks itself.
        make: called as ``make(inputs, config, seed=…)``.
        settings: what it sets otherwise than the dataclass does; a user's settings go before them.
        directed: with these settings, whether turning all arcs round changes what it gives.
    """

    config: type[Any]
    make: Callable[..., nn.Module]
    settings: Mapping[str, Any] = field(default_factory=dict)
    directed: bool = True


def _stack(conv: str, way: str = "into") -> EncoderRecipe:
    return EncoderRecipe(StackConfig, Stack, {"conv": conv, "way": way}, conv != "none" and way != "both")


ENCODERS: dict[str, EncoderRecipe] = {
    "mlp": _stack("none"),
    "gcn": _stack("gcn"),
    "sage": _stack("sage"),
    "gat": _stack("gat"),
    "gatv2": _stack("gatv2"),
    "gin": _stack("gin"),
    "dir_gcn": _stack("gcn", "each"),
    "dir_sage": _stack("sage", "each"),
    "dir_gat": _stack("gat", "each"),
    "gcn_global": EncoderRecipe(StackConfig, Stack, {"conv": "gcn", "channel": "slots"}),
    "gps": EncoderRecipe(GPSConfig, GPS, directed=False),
    "gps_linear": EncoderRecipe(GPSConfig, GPS, {"channels": ("cosine",)}, directed=False),
    "goat": EncoderRecipe(GPSConfig, GPS, {"channels": ("codebook",)}, directed=False),
    "long_arcs": EncoderRecipe(GPSConfig, GPS, {"channels": ("far",)}),
    "communities": EncoderRecipe(GPSConfig, GPS, {"channels": ("community",)}, directed=False),
    "sgformer": EncoderRecipe(SGFormerConfig, SGFormer, directed=False),
    "sgformer_published": EncoderRecipe(SGFormerConfig, SGFormer, {"attention": "frobenius"}, directed=False),
    "polynormer": EncoderRecipe(PolynormerConfig, Polynormer, directed=False),
    "nagphormer": EncoderRecipe(NAGphormerConfig, NAGphormer, directed=False),
    "directed": EncoderRecipe(DirectedConfig, DirectedTransformer),
}


def encoders() -> tuple[str, ...]:
    """The names that :func:`make_encoder` knows."""
    return tuple(ENCODERS)


def encoder_settings(name: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All settings of an encoder, those that are not given as they stand by default.

    Raises:
        ConfigError: the encoder or a setting is unknown, or a setting does not fit.

    Example:
        >>> encoder_settings("sage", {"dim": 32})["layers"]
        2
    """
    return asdict(_config(name, settings))


def make_encoder(
    name: str, inputs: int, settings: Mapping[str, Any] | None = None, *, seed: int = 0
) -> nn.Module:
    """An encoder by name.

    Args:
        name: one of :func:`encoders`.
        inputs: width of the features.
        settings: by name; the rest stand as the recipe has them.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: the encoder or a setting is unknown, or a setting does not fit.

    Example:
        >>> make_encoder("sage", 10, {"dim": 32, "jump": "cat"}).dim
        64
        >>> make_encoder("sage", 10, {"dims": 32})
        Traceback (most recent call last):
        thence.base.errors.ConfigError: unknown key 'dims' (in encoder 'sage'). Did you mean 'dim'?
    """
    config = _config(name, settings)
    return ENCODERS[name].make(inputs, config, seed=seed)


def _config(name: str, settings: Mapping[str, Any] | None) -> Any:
    if name not in ENCODERS:
        raise ConfigError(f"unknown encoder {name!r}", fix=nearest(name, ENCODERS))
    recipe = ENCODERS[name]
    return check_config({**recipe.settings, **(settings or {})}, recipe.config, where=f"encoder {name!r}")
