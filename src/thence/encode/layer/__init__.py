"""Layers over a graph and stacks of them: from node features to vectors of nodes."""
