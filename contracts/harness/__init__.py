"""Contract testing of any server. A layer above the rest of ``contracts``; servers, launchers and recordings come to it as arguments."""
