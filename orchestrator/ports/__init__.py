"""What the phases ask of the outside world. Adapters implement these; `tests/fakes.py` holds their fakes."""
