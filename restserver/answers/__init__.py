"""What is answered: a launcher's records as bodies in either style, as bytes, and with the headers that say whose they are."""
