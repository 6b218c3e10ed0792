"""Objects that the factory binds to the app; importing them opens no connection."""

from typing import Any

from flask_cors import CORS
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import DeclarativeBase

Id = BigInteger().with_variant(Integer, "sqlite")
"""Primary keys: 64 bits everywhere (SQLite counts by itself only in a plain INTEGER)."""


class Base(DeclarativeBase):
    """Every table's base. Ids are never used twice: the gateway knows messages by them."""

    __table_args__: Any = {"sqlite_autoincrement": True}  # noqa: RUF012


# Objects stay readable after the commit, when no transaction may be opened for them again.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
migrate = Migrate()
cors = CORS()
