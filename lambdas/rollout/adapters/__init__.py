"""What the engine needs of AWS, one vendor API a file."""
