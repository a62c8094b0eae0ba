"""From a graph to dual embeddings: encoders, losses, and the plain baselines beside them."""
