"""What makes a launcher, the API or the wire misbehave on purpose."""
