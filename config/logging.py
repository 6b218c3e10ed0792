"""Structured logs: one line an occurrence, JSON in production, key=value on a developer's machine.

No line carries a message's text or a phone number: call sites log ids only.
"""

import logging
import sys
from typing import Any

import structlog

from config.settings import Settings

NOISY = (
    "httpx",
    "httpcore",
    "pywa",
    "werkzeug",
    "alembic.runtime.plugins",
    "celery.beat",
    "celery.app.trace",
    "celery.worker.strategy",
)
"""Loggers of libraries whose INFO lines repeat what our own lines say, or show addresses."""


def configure_logging(settings: Settings, process: str) -> None:
    """Send the root logger and structlog to standard output in one format."""

    def name_process(_logger: object, _method: str, line: dict[str, Any]) -> dict[str, Any]:
        return line | {"process": process}

    shared: list[Any] = [
        name_process,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.is_production
        else structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
