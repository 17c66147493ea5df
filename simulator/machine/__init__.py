"""The machine of one framework: everything that decides a state lives here."""
