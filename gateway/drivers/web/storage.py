"""Where the session with WhatsApp is kept: its keys, and who is who."""

from urllib.parse import quote

from sqlalchemy import make_url

from config.addresses import is_loopback_host
from config.settings import Settings

FOLDER = "whatsapp"
FILE = "session.sqlite3"


def session_database(settings: Settings) -> str:
    """What neonize calls a database: PostgreSQL's URL where the store is there, else a file.

    Makes the folder, closed to others: whoever has the file can write as this number.
    """
    if not settings.gateway_database_url.startswith("sqlite"):
        return postgres_url(settings.gateway_database_url)
    folder = settings.var_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It becomes part of a `file:` URI.
    return quote(str(folder / FILE))


def postgres_url(url: str) -> str:
    """The same server as Go's driver wants it; unlike ours it insists on TLS unless told not to."""
    parts = make_url(url).set(drivername="postgres")
    is_local = not parts.host or is_loopback_host(parts.host)
    if "sslmode" not in parts.query and is_local:
        parts = parts.update_query_dict({"sslmode": "disable"})
    return parts.render_as_string(hide_password=False)
