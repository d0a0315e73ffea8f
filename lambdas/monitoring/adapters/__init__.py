"""What the monitor needs of AWS, one vendor API a file."""
