"""Distillation: from a directed teacher that needs the graph to a student that needs the product alone."""
