"""Errors, ids, artifacts, configuration, random generators and progress: knows nothing of the domain."""
