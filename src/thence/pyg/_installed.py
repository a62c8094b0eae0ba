"""Whether PyG is there, and of a release that this room knows; asked before anything else of it is imported."""

from __future__ import annotations

from thence.base.errors import ConfigError

KNOWN = ((2, 6), (3, 0))
FIX = "Run pip install 'thence[pyg]'."


def installed() -> str:
    """The release of torch-geometric.

    Raises:
        ConfigError: it is not installed, or of a release that is too old or too new.

    Example:
        >>> int(installed().split(".")[0])
        2
    """
    try:
        from torch_geometric import __version__ as release
    except ImportError as error:
        raise ConfigError("thence.pyg needs torch-geometric", fix=FIX) from error
    numbers = tuple(int(part) for part in release.split(".")[:2] if part.isdigit())
    if not KNOWN[0] <= numbers < KNOWN[1]:
        known = " to below ".join(f"{major}.{minor}" for major, minor in KNOWN)
        raise ConfigError(f"torch-geometric is {release}; thence.pyg knows {known}", fix=FIX)
    return release


RELEASE = installed()
