"""What a check found, for people and for programs: a terminal, JUnit XML, HAR, NDJSON, a page."""
