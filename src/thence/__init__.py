"""thence: recommendations that have a direction."""
