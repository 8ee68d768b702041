"""Rules: what may exist; pure Python that shares no code with what it judges."""
