"""What speaks HTTP: waitress in this process, or granian in processes of its own; both strict about what a request is."""
