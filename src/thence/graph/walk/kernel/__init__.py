"""Compiled loops of the walks and of forward push."""
