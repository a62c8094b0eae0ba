"""Graph transformers: stacks in which nodes look along arcs and, by a global channel, beyond them."""
