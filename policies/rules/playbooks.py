"""What the tasks of playbooks do: to whom, how, and whether it can be repeated."""
