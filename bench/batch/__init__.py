"""Many rows through Batch Transform in the local cloud, killed half-way: what it takes, and whether it is right."""
