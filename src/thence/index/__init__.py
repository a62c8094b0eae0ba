"""From embeddings to neighbours."""
