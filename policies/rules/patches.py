"""How current the packages of hosts are, and which have known holes."""
