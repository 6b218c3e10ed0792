"""gunicorn for the page by itself: `gunicorn --config config/gunicorn_frontend.py pages.wsgi:app`.

Only for running beside the API on one machine; elsewhere the API serves the page at `/`.
"""

from config.settings import load_settings

settings = load_settings()

bind = f"{settings.host}:{settings.port or 3000}"
workers = 1
worker_class = "gthread"
threads = 8
keepalive = 5
graceful_timeout = 5
control_socket_disable = True
