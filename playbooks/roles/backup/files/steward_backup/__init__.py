"""Back up this host's plans to its vault, and prove that they come back. Standard library only."""
