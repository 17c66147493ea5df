"""Run by alembic, on the connection it is given and inside that connection's transaction."""

from alembic import context

from restserver.history.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transactional_ddl=False
)
context.run_migrations()
