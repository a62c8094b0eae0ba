"""DiGraph: arcs in both directions, built from an event log."""
