"""What cannot be numbered is told to operators: counted per incarnation, and the applications in a table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("incarnations", sa.Column("gaps", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "strays",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incarnation_id", _ID, sa.ForeignKey("incarnations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("application_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("incarnation_id", "application_id", name="strays_key"),
    )
