"""A worker that is asked to end while the gateway holds the answers of a whole job."""

from contextlib import closing

import pytest
from celery import Celery

import celeryconfig
from config.redis import broker_url
from tests.conftest import StackFactory
from tests.e2e.scene import Scene
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def test_what_a_worker_has_in_hand_it_settles_before_it_ends(make_stack: StackFactory) -> None:
    stack = make_stack(settings={"SIMULATOR_PEOPLE": "false", "WEB_CONCURRENCY": "1"})
    with closing(Scene(stack)) as scene:
        scene.gateway.backend = None
        scene.gateway.start()
        stack.start("web")  # and no beat, so that nothing else can bring a message on
        message_ids = scene.send_many(5, customers=5)
        with stack.redis.client() as client:
            eventually(lambda: client.dbsize() > 0)
            client.flushall()
        scene.gateway.answers.clear()
        celery = Celery(set_as_current=False, broker=broker_url(stack.redis.url))
        celery.config_from_object(celeryconfig)
        celery.send_task("messages.deliver", message_ids)
        celery.close()
        worker = stack.program("worker")
        worker.start()
        eventually(lambda: all(map(scene.gateway.orders_for, message_ids)), timeout=60)
        worker.ask_to_end()
        scene.gateway.answers.set()
        assert worker.wait(60) is not None
        assert {scene.message(each)["dispatch"] for each in message_ids} == {"accepted"}
        assert sorted(order["backend_message_id"] for order in scene.gateway.orders) == message_ids
