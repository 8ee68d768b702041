"""Subjects: whatever is judged, in neutral words; one normaliser a source. `types.py` has their types."""
