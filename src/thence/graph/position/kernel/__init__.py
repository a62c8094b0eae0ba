"""Compiled loops behind the positions."""
