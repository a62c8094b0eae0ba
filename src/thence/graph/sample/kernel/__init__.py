"""The inner loops of sampling, compiled on first use and kept."""
