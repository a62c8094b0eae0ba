"""Whether an exposure will convert, learned while its label is still changing."""
