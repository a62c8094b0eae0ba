"""From scores to decisions that know how sure the model is."""
