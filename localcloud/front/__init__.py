"""What stands before the services: HTTP, protocols, credentials and permissions."""
