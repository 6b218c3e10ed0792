"""`/webhook`: where WhatsApp brings updates. Kept first, answered then, read afterwards."""

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from pywa.utils import webhook_updates_validator
from werkzeug.exceptions import Forbidden

from config.settings import Settings

MAX_UPDATE = 3 * 1024 * 1024
"""What Meta says that an update may have at most."""
SIGNATURE = "X-Hub-Signature-256"


def make_blueprint(settings: Settings, keep: Callable[[str], None]) -> Blueprint:
    """Open to the internet: the signature is the access rule. `keep` raises where it cannot."""
    blueprint = Blueprint("webhook", __name__)

    @blueprint.get("/webhook")
    def verify() -> ResponseReturnValue:
        """Meta asks once whether this address is meant."""
        given = request.args.get("hub.verify_token", "").encode()
        if request.args.get("hub.mode") != "subscribe" or not hmac.compare_digest(
            given, settings.cloud.verify_token.encode()
        ):
            raise Forbidden("The verify token is not WHATSAPP_VERIFY_TOKEN.")
        return Response(request.args.get("hub.challenge", ""), mimetype="text/plain")

    @blueprint.post("/webhook")
    def take_update() -> ResponseReturnValue:
        """Whatever the signature proves is stored before it is answered."""
        request.max_content_length = MAX_UPDATE
        raw = request.get_data()
        request.stream.read(1)  # A chunked body is cut at the limit; reading on raises the 413.
        if not is_signed(raw, request.headers.get(SIGNATURE), settings.cloud.app_secret):
            raise Forbidden("The signature is not that of WHATSAPP_APP_SECRET.")
        keep(raw.decode(errors="replace"))
        return Response("ok", mimetype="text/plain")

    return blueprint


def is_signed(raw: bytes, signature: str | None, secret: str) -> bool:
    """Whether these very bytes were signed with the app's secret, in constant time."""
    # pywa compares text, which raises over a header that is not ASCII.
    if not signature or not signature.isascii() or not signature.startswith("sha256="):
        return False
    return webhook_updates_validator(secret, raw, signature)
