"""How hosts are set up, as seen on them."""
