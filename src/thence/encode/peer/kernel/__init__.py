"""Compiled inner loops of published methods."""
