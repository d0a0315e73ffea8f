"""The serving container beside its peers: one machine, one core each, the same work."""
