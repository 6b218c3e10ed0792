"""Celery's own settings; the broker's address comes from `config.settings`.

Reasons, measured: docs/architecture.md, "Celery's settings".
"""

from kombu import Queue

VISIBILITY_TIMEOUT = 60
CLOCK = "crm-clock"
"""What beat sends, apart from the sends: behind a backlog every sweep would expire unread, and
with it all that only the sweep brings on. Workers take turns between the two."""

accept_content = ["json"]
task_serializer = "json"
task_ignore_result = True
result_backend = None
task_default_queue = "crm"
task_queues = (Queue("crm"), Queue(CLOCK))

# A hint may be lost, but one that a dead worker held comes again before the sweep needs to act.
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
worker_pool = "threads"
worker_concurrency = 16
worker_send_task_events = True
worker_hijack_root_logger = False
worker_soft_shutdown_timeout = 10.0
worker_enable_soft_shutdown_on_idle = False
worker_cancel_long_running_tasks_on_connection_loss = False

broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_transport_options = {
    "global_keyprefix": "crm:",
    "visibility_timeout": VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
# A publish that does not go out at once is given up: the sweep will find the row.
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}

# The schedule is all below and every task is idempotent, so beat keeps no file.
beat_scheduler = "celery.beat:Scheduler"
beat_schedule = {
    "sweep": {
        "task": "messages.sweep",
        "schedule": 1.0,
        "options": {"queue": CLOCK, "expires": 2.0},
    },
    "worker heartbeat": {
        "task": "workers.heartbeat",
        "schedule": 5.0,
        "options": {"queue": CLOCK, "expires": 5.0},
    },
    "gateway status": {
        "task": "gateway.refresh_status",
        "schedule": 5.0,
        "options": {"queue": CLOCK, "expires": 5.0},
    },
    "retention": {
        "task": "messages.prune",
        "schedule": 60.0,
        "options": {"queue": CLOCK, "expires": 60.0},
    },
    "audit": {
        "task": "audit.prune",
        "schedule": 60.0,
        "options": {"queue": CLOCK, "expires": 60.0},
    },
    "prune": {
        "task": "events.prune",
        "schedule": 60.0,
        "options": {"queue": CLOCK, "expires": 60.0},
    },
}
