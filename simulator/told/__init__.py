"""Stories told by hand: scenarios, read from files and checked against the tables."""
