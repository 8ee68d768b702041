"""How servers and the addresses, disks and images under them are set up."""
