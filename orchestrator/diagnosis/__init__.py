"""What a failed host is asked, and the cause in plain words that follows from its answer."""
