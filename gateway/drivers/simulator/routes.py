"""`/simulator`: the page that shows the pretend phones, and the JSON behind it."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields, validate, validates
from werkzeug.exceptions import Forbidden, NotFound, UnsupportedMediaType

from gateway.access import is_from_this_machine
from gateway.bodies import load_body
from gateway.drivers.events import Media, MediaKind
from gateway.drivers.simulator.files import Files
from gateway.drivers.simulator.journal import make_whatsapp_id
from gateway.drivers.simulator.misbehaviour import MisbehaviourSchema
from gateway.drivers.simulator.people import BY_PHONE
from gateway.drivers.simulator.pictures import draw_picture
from gateway.fields import ChatField
from gateway.texts import is_storable

if TYPE_CHECKING:
    from gateway.drivers.simulator.driver import Simulator

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _require_storable(text: str) -> None:
    if not is_storable(text):
        raise ValidationError("must not contain NUL or lone surrogates")


class InboundSchema(Schema):
    """Text is taken as it is, surrogates and all: that is what the gateway has to survive."""

    phone = ChatField(required=True)
    text = fields.String(required=True)
    name = fields.String(
        load_default=None, validate=validate.And(validate.Length(1, 120), _require_storable)
    )
    whatsapp_id = fields.String(
        load_default=None, validate=validate.Regexp(r"[0-9A-Za-z_.-]{1,128}\Z")
    )
    media = fields.Nested(lambda: MediaSchema(), load_default=None)


class MediaSchema(Schema):
    """Without `data` a small picture is drawn."""

    kind = fields.Enum(MediaKind, by_value=True, load_default=MediaKind.IMAGE)
    mime = fields.String(load_default="image/png", validate=validate.Length(1, 100))
    name = fields.String(load_default=None, validate=validate.Length(1, 255))
    data = fields.String(load_default=None)

    @validates("data")
    def require_base64(self, value: str | None, **_: object) -> None:
        try:
            base64.b64decode(value or "", validate=True)
        except ValueError as error:
            raise ValidationError("must be base64") from error


class PeopleSchema(Schema):
    active = fields.Boolean(required=True)


def make_blueprint(simulator: Simulator) -> Blueprint:
    """The routes of this simulator; they answer this machine only."""
    blueprint = Blueprint(
        "simulator",
        __name__,
        url_prefix="/simulator",
        template_folder="templates",
        static_folder="static",
    )
    blueprint.before_request(require_own_browser)
    blueprint.after_request(harden)
    _add_views(blueprint, simulator)
    _add_controls(blueprint, simulator)
    return blueprint


def make_media(files: Files, given: dict[str, Any]) -> Media:
    if given["data"] is None:
        return files.draw(make_whatsapp_id())
    data = base64.b64decode(given["data"])
    return files.give(data, kind=given["kind"], mime=given["mime"], name=given["name"])


def require_own_browser() -> None:
    """This machine, our own page, and JSON, which no foreign form can post."""
    origin = request.headers.get("Origin")
    if not is_from_this_machine() or origin not in (None, f"http://{request.host}"):
        raise Forbidden("The simulator answers this machine only.")
    if request.method == "POST" and not request.is_json:
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")


def harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _add_views(blueprint: Blueprint, simulator: Simulator) -> None:
    @blueprint.get("")
    def show_page() -> ResponseReturnValue:
        """The phones, drawn by a small script from `/simulator/state`."""
        return render_template("simulator.html")

    @blueprint.get("/state")
    def show_state() -> ResponseReturnValue:
        """Connection, misbehaviour, and the last lines of each chat."""
        return jsonify(
            connection=simulator.state(),
            people={"active": simulator.crowd.is_active},
            misbehaviour=asdict(simulator.misbehaviour),
            received=len(simulator.journal),
            probes=simulator.probes,
            phones=simulator.phones.as_json(),
        )

    @blueprint.get("/log")
    def show_log() -> ResponseReturnValue:
        """Everything that the pretend WhatsApp ever received."""
        return jsonify([asdict(entry) for entry in simulator.journal.entries()])

    @blueprint.get("/pictures/<phone>.svg")
    def show_picture(phone: str) -> ResponseReturnValue:
        """A customer's picture; `v` tells the old from the new."""
        person = BY_PHONE.get(phone)
        if person is None:
            raise NotFound("Nobody here has this phone.")
        number = request.args.get("v", default=1, type=int)
        drawn = draw_picture(phone, person.name, number)
        return Response(drawn, mimetype="image/svg+xml")


def _add_controls(blueprint: Blueprint, simulator: Simulator) -> None:
    @blueprint.post("/misbehave")
    def change_misbehaviour() -> ResponseReturnValue:
        """Change the named settings, leave the others."""
        simulator.misbehave(load_body(MisbehaviourSchema()))
        return jsonify(asdict(simulator.misbehaviour))

    @blueprint.post("/inbound")
    def write_as_customer() -> ResponseReturnValue:
        """Write as any customer; 201 once the gateway has stored it."""
        body = load_body(InboundSchema())
        event = simulator.write(
            body["phone"],
            body["text"],
            name=body["name"],
            whatsapp_id=body["whatsapp_id"],
            media=body["media"] and make_media(simulator.files, body["media"]),
        )
        return jsonify(whatsapp_id=event.whatsapp_id), 201

    @blueprint.post("/people")
    def wake_people() -> ResponseReturnValue:
        """Let the pretend customers write by themselves, or not."""
        simulator.crowd.set_active(load_body(PeopleSchema())["active"])
        return jsonify(active=simulator.crowd.is_active)
