"""From a graph to dual embeddings: encoders, losses, and the plain baselines beside them."""

from thence.encode.embeddings import Embeddings as Embeddings
from thence.encode.scorer import Scorer as Scorer
