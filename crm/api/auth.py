"""/auth: signing in and out, and the first owner."""

from pathlib import Path
from typing import Any

from flask import Response, current_app, request

from crm.api.access import person, public
from crm.api.answers import json_answer
from crm.api.callers import (
    begin_session,
    csrf_token,
    current_actor,
    current_caller,
    end_session,
    look_up_caller,
)
from crm.api.known_callers import known_callers
from crm.api.limits import count_sign_in
from crm.api.parsing import ApiBlueprint
from crm.errors import NotSignedInError
from crm.queries.callers import Caller
from crm.schemas.accounts import AuthStateSchema, LoginSchema, MeSchema, PasswordSchema, SetupSchema
from crm.services import agents, sessions

blp = ApiBlueprint("auth", __name__, url_prefix="/auth", description=__doc__)

SETUP_PAGE = Path(__file__).with_name("setup_page.html").read_text()
# The page stands alone: its script and style are inline, and it talks to this server only.
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
TOO_MANY = "Too many tries; see Retry-After."


@blp.after_request
def keep_nothing(answer: Response) -> Response:
    """Who has signed out must not be shown as signed in, nor a token be left on the disk."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blp.route("/login", methods=["POST"])
@public
@blp.arguments(LoginSchema)
@blp.response(200, MeSchema)
@blp.alt_response(401, description="Login or password is wrong, or the agent is disabled.")
@blp.alt_response(429, description=TOO_MANY)
def login(data: dict[str, Any]) -> Response:
    """Sign in: the answer's cookie is the session, and any earlier one of this browser ends."""
    count_sign_in(data["login"])
    secret = sessions.sign_in(data["login"], data["password"], address=request.remote_addr)
    _leave()
    begin_session(secret)
    return _show_me()


@blp.route("/logout", methods=["POST"])
@person
@blp.response(204)
def logout() -> Response:
    """Sign out: the session is over, a copy of its cookie too."""
    _leave()
    return Response(status=204)


@blp.route("/logout_everywhere", methods=["POST"])
@person
@blp.response(204)
def logout_everywhere() -> Response:
    """Sign out in every browser; event streams that are open end within a minute."""
    sessions.sign_out_everywhere(actor=current_actor())
    end_session()
    return Response(status=204)


@blp.route("/state", methods=["GET"])
@public
@blp.response(200, AuthStateSchema)
def show_state() -> Response:
    """Whether one has to sign in here, and who has: never 401, so a page may ask it first."""
    caller = look_up_caller()
    is_person = caller is not None and caller.role is not None
    return json_answer(
        {
            "required": bool(current_app.config["AUTH_REQUIRED"]),
            "me": _describe(caller) if caller and is_person else None,
        }
    )


@blp.route("/me", methods=["GET"])
@person
@blp.response(200, MeSchema)
def me() -> Response:
    """Who is signed in, and the token that unsafe requests must carry."""
    return _show_me()


@blp.route("/password", methods=["POST"])
@person
@blp.arguments(PasswordSchema)
@blp.response(204)
@blp.alt_response(401, description="The current password is wrong.")
@blp.alt_response(429, description=TOO_MANY)
def change_password(data: dict[str, Any]) -> Response:
    """Change one's own password; every other session of this agent ends."""
    caller = _signed_in()
    count_sign_in(f"agent {caller.actor.id}")
    agents.change_password(
        old=data["old_password"],
        new=data["new_password"],
        keep=caller.proof,
        actor=current_actor(),
    )
    known_callers.forget()
    return Response(status=204)


@blp.route("/setup", methods=["GET"])
@public
@blp.response(200, {"type": "string"}, content_type="text/html")
def show_setup() -> Response:
    """The page behind the link that the first start in production prints."""
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return Response(SETUP_PAGE, headers=headers, mimetype="text/html")


@blp.route("/setup", methods=["POST"])
@public
@blp.arguments(SetupSchema)
@blp.response(201, MeSchema)
@blp.alt_response(403, description="The link is used or more than a day old.")
@blp.alt_response(429, description=TOO_MANY)
def set_up_owner(data: dict[str, Any]) -> Response:
    """Become the first owner, signed in; the link's token works once, and for a day."""
    count_sign_in(f"setup from {request.remote_addr}")  # else a stranger could keep the owner out
    actor = current_actor()
    agents.set_up_owner(
        data["token"],
        login=data["login"],
        name=data["name"],
        password=data["password"],
        actor=actor,
    )
    begin_session(sessions.sign_in(data["login"], data["password"], address=actor.address))
    return _show_me(201)


def _show_me(status: int = 200) -> Response:
    return json_answer(_describe(_signed_in()), status)


def _describe(caller: Caller) -> dict[str, Any]:
    me = {"id": caller.actor.id, "name": caller.actor.name, "role": caller.role}
    return me | {"csrf_token": csrf_token()}


def _signed_in() -> Caller:
    caller = current_caller()
    if caller is None:
        raise NotSignedInError("Sign in first.")
    return caller


def _leave() -> None:
    """End the session that the browser came with, if any."""
    caller = current_caller()
    if caller is not None and caller.role is not None:
        sessions.sign_out(caller.proof, actor=current_actor())
    end_session()
