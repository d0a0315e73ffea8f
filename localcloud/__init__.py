"""AWS on this machine: moto as the store, and our own physics for what moto lacks."""
