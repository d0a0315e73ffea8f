"""What it costs to find drift, beside what others use."""
