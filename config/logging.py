"""Structured logs: one line an occurrence, JSON in production, key=value on a developer's machine.

No line carries a message's text or a phone number: call sites log ids only. What comes from
elsewhere, as an address somebody asked for or the words of a fault, is masked.
"""

import logging
import re
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
OURS = {"timestamp", "request_id", "level", "logger", "process"}
"""Of a line, what is never anybody's words."""
LONG_NUMBER = re.compile(r"(?<![\w.])\d{7,20}(?!\w)")
ROW_OF_A_FAULT = re.compile(
    r"(DETAIL|CONTEXT):.*?(?=\n\[SQL|\n\nThe above exception|\n\nDuring handling|\Z)", re.DOTALL
)
"""PostgreSQL quotes the row that it refuses."""


def mask(text: str) -> str:
    """Without what may be a phone, and without what a database quotes of a row."""
    return LONG_NUMBER.sub("…", ROW_OF_A_FAULT.sub(r"\1: …", text))


def mask_line(_logger: object, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Mask every text of a line that is not our own."""
    return {
        name: mask(value) if isinstance(value, str) and name not in OURS else value
        for name, value in line.items()
    }


def _named_level(level: int) -> int:
    """The level that has a name and lets the same lines through; LOG_LEVEL may be any number."""
    named = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL
    return max((each for each in named if each <= level), default=logging.NOTSET)


def configure_logging(settings: Settings, process: str) -> None:
    """Send the root logger and structlog to standard output in one format."""

    def name_process(_logger: object, _method: str, line: dict[str, Any]) -> dict[str, Any]:
        return line | {"process": process}

    shared: list[Any] = [
        name_process,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_line,
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
        # What is not logged costs nothing.
        wrapper_class=structlog.make_filtering_bound_logger(_named_level(settings.log_level)),
        cache_logger_on_first_use=True,
    )
