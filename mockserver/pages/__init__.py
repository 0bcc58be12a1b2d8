"""What the running mock shows in a browser."""
