"""Who may ask, from where, how often and by which name: the doors before the answers."""
