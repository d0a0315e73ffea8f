"""Request bodies into arrays, and answers into bodies: CSV, JSON, JSON Lines, npy, and the Open Inference Protocol."""
