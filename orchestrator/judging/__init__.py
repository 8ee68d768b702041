"""Judging outside of the engine: what there is to judge, the judgement of it, and the record of that."""
