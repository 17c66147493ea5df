"""Incarnations and their attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "incarnations",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("followed_at", sa.BigInteger, nullable=False),
        sa.Column("gone_at", sa.BigInteger),
        sa.Column("list_digest", sa.String(32)),
        sa.Column("recover_at", sa.BigInteger),
        sa.Column("recover_tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("recover_since", sa.BigInteger),
        sa.UniqueConstraint("name", "created", name="incarnations_key"),
    )
    op.create_index("incarnations_recover_at", "incarnations", ["recover_at"])
    op.create_table(
        "attempts",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incarnation_id", _ID, sa.ForeignKey("incarnations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("application_id", sa.Text),
        sa.Column("launched", sa.BigInteger),
        sa.Column("last_request", sa.BigInteger, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("mark", sa.String(40)),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("incarnation_id", "run", "attempt", name="attempts_key"),
    )
