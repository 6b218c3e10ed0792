"""What browsers get of the gateway: its state, its code to pair with, templates and files."""

from flask import Response, request

from crm.api.access import agent
from crm.api.answers import json_answer
from crm.api.parsing import ApiBlueprint
from crm.errors import (
    InvalidInputError,
    MediaLostError,
    MediaNotFoundError,
    MediaNotReadyError,
    NotFoundError,
    UnavailableError,
)
from crm.gateway_client import GatewayFile, gateway
from crm.gateway_errors import GatewayError, GatewayRefusedError
from crm.schemas.media import MEDIA_ID
from crm.schemas.system import ApprovedTemplateSchema, GatewayQrSchema, GatewayStatusSchema
from crm.services.gateway import fetch_gateway_status

blp = ApiBlueprint("gateway", __name__, description=__doc__)

PICTURE = "image/svg+xml"
PASSED_ON = (
    "Accept-Ranges", "Content-Disposition", "Content-Length", "Content-Range", "Content-Type",
    "ETag", "Last-Modified",
)  # fmt: skip
HARMLESS = {
    # A customer chose these bytes: they may be looked at, and never run or guessed at.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=86400, immutable",
}
IS_FILE = {200, 206, 304, 416}


@blp.route("/gateway/status", methods=["GET"])
@agent
@blp.response(200, GatewayStatusSchema)
def gateway_status() -> Response:
    """The gateway's `/status`, or `"state": "unreachable"`."""
    return json_answer(fetch_gateway_status())


@blp.route("/gateway/qr", methods=["GET"])
@agent
@blp.response(200, GatewayQrSchema)
@blp.alt_response(503, description="The gateway cannot be reached.")
def gateway_qr() -> Response:
    """The code to pair with, where one is needed; as a picture where SVG is asked for."""
    try:
        if request.accept_mimetypes.best_match(["application/json", PICTURE]) == PICTURE:
            return _draw_qr()
        answer = json_answer(gateway.fetch_qr())
        answer.vary.add("Accept")
        return answer
    except GatewayError as error:
        raise _away(error) from error


@blp.route("/gateway/qr", methods=["POST"])
@agent
@blp.response(200, GatewayQrSchema)
@blp.alt_response(503, description="The gateway cannot be reached.")
def renew_gateway_qr() -> Response:
    """Ask for new codes, after nobody scanned the last ones or the phone logged us out."""
    try:
        return json_answer(gateway.renew_qr())
    except GatewayError as error:
        raise _away(error) from error


@blp.route("/templates", methods=["GET"])
@agent
@blp.response(200, ApprovedTemplateSchema(many=True))
@blp.alt_response(503, description="The gateway cannot be reached.")
def list_templates() -> Response:
    """The templates that may be sent; none where this kind of line has none."""
    try:
        return json_answer(gateway.fetch_templates())
    except GatewayRefusedError as error:  # a setting that waiting does not mend
        raise InvalidInputError(error.reason) from error
    except GatewayError as error:
        raise _away(error) from error


@blp.route("/media/<media_id>", methods=["GET"])
@agent
@blp.response(200, content_type="application/octet-stream")
@blp.alt_response(404, description="There is no such file.")
@blp.alt_response(409, description="It is still being fetched from WhatsApp.")
@blp.alt_response(410, description="It could not be fetched, or was kept long enough.")
def get_media(media_id: str) -> Response:
    """A file that a customer sent, or a customer's picture."""
    wanted = {name: request.headers[name] for name in ("Range", "If-None-Match", "If-Range")
              if name in request.headers}  # fmt: skip
    if not MEDIA_ID.fullmatch(media_id):
        raise MediaNotFoundError
    try:
        return _pass_on(gateway.open_file(f"/media/{media_id}", headers=wanted))
    except GatewayError as error:
        raise _away(error) from error


def _draw_qr() -> Response:
    file = gateway.open_file("/qr", headers={"Accept": PICTURE})
    if file.status != 200:
        file.close()
        raise NotFoundError("There is no code to scan now; /gateway/status tells what to do.")
    response = _pass_on(file)
    # It is another one in half a minute, and whoever has it can read along.
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _pass_on(file: GatewayFile) -> Response:
    if file.status not in IS_FILE:
        file.close()
        raise _NO_FILE.get(file.status, MediaNotFoundError)()
    response = Response(file.chunks(), status=file.status, direct_passthrough=True)
    response.call_on_close(file.close)
    for name in PASSED_ON:
        if name in file.headers:
            response.headers[name] = file.headers[name]
    response.headers.update(HARMLESS)
    return response


_NO_FILE = {409: MediaNotReadyError, 425: MediaNotReadyError, 410: MediaLostError}


def _away(error: GatewayError) -> UnavailableError:
    return UnavailableError(error.reason, retry_after=5)
