"""Who may log in to hosts and become root there, as seen on them."""
