"""What roles ask of the control machine: certificates of the stack's authority, fetched code, secrets."""
