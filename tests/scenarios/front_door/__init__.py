"""Tests of the API by which applications call; they share one deployed environment."""
