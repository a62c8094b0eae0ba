"""Global channels: layers in which a node sees nodes that no short path leads to."""
