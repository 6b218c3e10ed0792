"""Commands: `flask --app wsgi messages …`."""

import click
from flask import Flask
from flask.cli import AppGroup

from crm.services import retries

messages = AppGroup("messages", help="What operators do to messages.")


@messages.command("retry")
@click.argument("message_id", type=int)
@click.option("--confirm", is_flag=True, help="Send an unknown one again; it may arrive twice.")
def retry(message_id: int, confirm: bool) -> None:
    """Send one failed message again."""
    message = retries.retry_message(message_id, confirm=confirm)
    click.echo(f"Message {message.id} is {message.status}.")


@messages.command("retry-failed")
def retry_failed() -> None:
    """Send every failed message again."""
    click.echo(f"{retries.retry_failed()} messages are queued again.")


def init_cli(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(messages)
