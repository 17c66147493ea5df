"""A pretend launcher: deterministic, on a virtual clock."""
