"""Ranking, direction, coverage and their confidence, as a report."""
