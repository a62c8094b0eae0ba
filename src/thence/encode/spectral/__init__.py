"""Ours: directed embeddings from weighted parts of the graph, factored without being written out."""

from thence.encode.spectral.arc_odds import arc_odds as arc_odds
from thence.encode.spectral.model import SPECTRAL_GRID as SPECTRAL_GRID
from thence.encode.spectral.model import SpectralScorer as SpectralScorer
from thence.encode.spectral.model import spectral as spectral
from thence.encode.spectral.model import spectral_scorer as spectral_scorer
from thence.encode.spectral.parts import PartsConfig as PartsConfig
