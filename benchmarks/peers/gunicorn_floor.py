"""gunicorn's settings for the floor: the product's own, but for what needs the product."""

import config.gunicorn as ours

bind = ours.bind
workers = ours.workers
threads = ours.threads
worker_class = ours.worker_class
keepalive = ours.keepalive
control_socket_disable = True
