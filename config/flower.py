"""Flower's settings: `celery … flower --conf=config/flower.py`.

Flower can stop workers and shows arguments of tasks (ours are ids only). In development it listens
on loopback, unless FLOWER_BASIC_AUTH=name:password closes it to strangers; in production it starts
with that only.
"""

from flower.views.monitor import Metrics
from tornado.web import authenticated

from config.checks import find_flower_problem
from config.settings import SettingsError, load_settings

_settings = load_settings()
if _problem := find_flower_problem(_settings):
    raise SettingsError(f"Cannot start Flower: {_problem}")

# Flower asks for the password everywhere but here, where hosts and tasks are named.
Metrics.get = authenticated(Metrics.get)

port = _settings.port or 5555
address = _settings.host if _settings.flower_accounts else "127.0.0.1"
basic_auth = list(_settings.flower_accounts)
persistent = False
max_tasks = 1000
"""Kept in memory; ten times less than Flower's own choice."""
