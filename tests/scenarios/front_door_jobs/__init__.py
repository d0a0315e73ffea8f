"""Jobs that an endpoint of their own answers."""
