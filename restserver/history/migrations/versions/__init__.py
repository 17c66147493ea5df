"""The steps. Each stands for itself: it imports nothing of the program, which may have moved on."""
