"""One training loop, with checkpoints that resume to the same bytes."""
