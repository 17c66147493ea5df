"""How stores get from version to version. ``env.py`` is run by alembic; each file in ``versions/`` is one step."""
