"""What the front door needs of AWS."""
