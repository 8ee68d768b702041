"""Whether backups arrived, are kept, and were proven to come back."""
