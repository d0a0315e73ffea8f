"""Many endpoints in the care of the engine's own code, in virtual time: what they ask of AWS and how long they wait."""
