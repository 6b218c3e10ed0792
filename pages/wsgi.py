"""gunicorn's door."""

from config.settings import load_settings
from pages.app import create_app

app = create_app(load_settings())
