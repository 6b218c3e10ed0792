"""Flower's settings: `celery … flower --conf=config/flower.py`.

Flower can stop workers and shows arguments of tasks (ours are ids only). It listens on loopback,
unless FLOWER_BASIC_AUTH=name:password closes it to strangers.
"""

from tornado.options import options

from config.settings import load_settings

_settings = load_settings()

port = _settings.port or 5555
address = _settings.host if options.basic_auth else "127.0.0.1"
persistent = False
max_tasks = 1000
"""Kept in memory; ten times less than Flower's own choice."""
