"""Facts of a host, collected once and read-only: `parts` run there, `collector` speaks with it."""
