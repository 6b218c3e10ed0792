"""Commands: `flask --app wsgi messages …` and `flask --app wsgi agents …`."""

from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from crm.actors import COMMAND_LINE
from crm.credentials import MAX_PASSWORD, MIN_PASSWORD, make_password
from crm.errors import CrmError
from crm.models import Agent, Role
from crm.queries import accounts
from crm.services import agents as agent_services
from crm.services import retries


class Commands(AppGroup):
    """Commands whose refusals are one sentence, without a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CrmError as error:
            raise click.ClickException(error.detail) from error


messages = Commands("messages", help="What operators do to messages.")
agents = Commands("agents", help="The people who may sign in.")
asking = click.option("--ask", is_flag=True, help="Ask for the password instead of making one.")


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


@agents.command("create")
@click.argument("login")
@click.option("--name", help="As colleagues see it; the login where none is given.")
@click.option("--role", type=click.Choice(list(map(str, Role))), default=str(Role.AGENT))
@asking
def create_agent(login: str, name: str | None, role: str, ask: bool) -> None:
    """Add an agent and show the password, this once."""
    password = _choose_password(ask)
    agent = agent_services.create_agent(
        login=login, name=name or login, role=Role(role), password=password, actor=COMMAND_LINE
    )
    _tell(agent, f"is an {agent.role}", password="" if ask else password)


@agents.command("list")
def list_agents() -> None:
    """Show every agent."""
    for agent in accounts.list_agents():
        state = f"disabled {agent.disabled_at:%Y-%m-%d}" if agent.disabled_at else "active"
        click.echo(f"{agent.id}\t{agent.login}\t{agent.name}\t{agent.role}\t{state}")


@agents.command("disable")
@click.argument("login")
def disable_agent(login: str) -> None:
    """Lock an agent out, everywhere, within a minute."""
    _tell(agent_services.disable_agent(login, actor=COMMAND_LINE), "may not sign in any more")


@agents.command("enable")
@click.argument("login")
def enable_agent(login: str) -> None:
    """Let a disabled agent sign in again."""
    _tell(agent_services.enable_agent(login, actor=COMMAND_LINE), "may sign in again")


@agents.command("reset-password")
@click.argument("login")
@asking
def reset_password(login: str, ask: bool) -> None:
    """Give an agent a new password and show it, this once; every session ends."""
    password = _choose_password(ask)
    agent = agent_services.reset_password(login, password, actor=COMMAND_LINE)
    _tell(agent, "has a new password", password="" if ask else password)


@agents.command("setup-link")
def offer_setup() -> None:
    """Print a link for the first owner, as the first start in production does."""
    secret = agent_services.offer_setup()
    if secret is not None:
        click.echo("Nobody has an account yet. Within 24 hours, become the owner, once, at:")
        click.echo(f"  {current_app.config['BACKEND_URL']}/auth/setup?token={secret}")


def _choose_password(ask: bool) -> str:
    if not ask:
        return make_password()
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise click.ClickException(f"A password has at least {MIN_PASSWORD} characters.")
    return password


def _tell(agent: Agent, what: str, *, password: str = "") -> None:
    click.echo(f"{agent.login} {what}.")
    if password:
        click.echo(f"Password, shown this once: {password}")


def init_cli(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(messages)
    app.cli.add_command(agents)
