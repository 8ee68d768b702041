"""The policy report: which rules judged what, under whose word, and what came of every pair."""
