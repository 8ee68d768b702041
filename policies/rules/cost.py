"""Whether what exists, or would, is priced, of the right size, and within its budget."""
