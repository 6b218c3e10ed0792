"""How many jobs wait, asked of a real Redis."""

from celery import Celery
from kombu import Queue

from config.redis import broker_url
from crm import queue
from tests.kit.redis_server import RedisServer


def test_jobs_that_no_worker_has_taken_are_counted(redis_server: RedisServer) -> None:
    name = "waiting"
    app = Celery("test", broker=broker_url(redis_server.url))
    app.conf.update(task_default_queue=name, task_queues=(Queue(name),))
    assert queue.count_waiting_jobs(app) == 0
    for number in range(3):
        app.send_task("messages.deliver", (number,))
    assert queue.count_waiting_jobs(app) == 3


def test_without_redis_no_jobs_are_known() -> None:
    app = Celery("test", broker="redis://127.0.0.1:1/0")
    app.conf.broker_transport_options = {"socket_connect_timeout": 1}
    assert queue.count_waiting_jobs(app) == 0
