"""The life of registered versions: what is known of each, how two differ, and which are let go."""
