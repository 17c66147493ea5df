"""A profile fitted to what was seen of real jobs. Numbers are kept, and nothing that could name a person, a place or a job."""
