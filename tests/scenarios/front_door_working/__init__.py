"""Front doors at work: while things are killed, promoted and rolled back. The tests share one deployed environment."""
