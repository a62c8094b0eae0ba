"""Structures that find candidates fast; what they find is scored exactly elsewhere."""
