"""What the server says of itself: logs, metrics to be scraped, and metrics in the log for where nobody can scrape."""
