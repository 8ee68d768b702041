"""Rules of a fleets' own repository, in processes of their own: docs/adr/0032-own-rules-run-apart.md."""
