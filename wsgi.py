"""gunicorn's door."""

from config.logging import configure_logging
from config.settings import load_settings
from crm.factory import create_app

settings = load_settings()
configure_logging(settings, "web")
app = create_app(settings)
