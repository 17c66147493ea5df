"""Which jobs there are, whose they are and what becomes of them, from (seed, profile, index)."""
