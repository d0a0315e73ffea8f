"""Tests that share one deployed environment. Without this file, pytest would keep it to the end of the session."""
