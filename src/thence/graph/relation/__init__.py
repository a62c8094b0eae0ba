"""Relations between products, one a file: each is an Ibis expression from an event log to pairs of nodes."""
