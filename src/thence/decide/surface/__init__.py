"""Rates of positives over score and uncertainty: a boundary is where one of them crosses a threshold."""
