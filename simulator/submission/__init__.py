"""What people hand in, judged as the real launcher judges it."""
