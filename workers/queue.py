"""The queue alone, for beat and Flower: `celery --app workers.queue …`."""

from config.settings import load_settings
from crm.queue import bind_queue, keep_our_logging

settings = load_settings()
keep_our_logging(settings, "queue")
app = bind_queue(settings)
