"""What following needs of AWS."""
