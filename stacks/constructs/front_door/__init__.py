"""The parts of an endpoint's front door, a file each."""
