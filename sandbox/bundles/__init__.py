"""Code as it is handed to a sandbox, and what can be said of it without running it."""
