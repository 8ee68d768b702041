"""Sent to a host and run there as root: standard library and Python 3.9 only, and nothing is ever written."""
