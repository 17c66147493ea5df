"""The simulated launcher and resource manager over HTTP, in both dialects."""
