"""Normalisers: each turns one source into neutral subjects, so that rules never see the source."""
