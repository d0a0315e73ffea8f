"""The front door beside what nobody can do without."""
