"""Estimators for labels that are still changing: published ones, and ours."""
