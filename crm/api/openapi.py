"""The OpenAPI document and its two pages, with every asset served from here."""

from pathlib import Path
from typing import Any

import openapi_ui_bundles.redoc
from flask import Flask, Response, make_response, send_from_directory
from flask_smorest import Api
from flask_swagger_ui import __file__ as swagger_ui_file

from crm.api import (
    agents,
    audit,
    auth,
    callbacks,
    customer_files,
    customers,
    gateway,
    messages,
    presence,
    stream,
    system,
    tokens,
)
from crm.api.access import public
from crm.schemas.base import ErrorSchema

SWAGGER_UI = Path(swagger_ui_file).parent / "dist"
REDOC = Path(openapi_ui_bundles.redoc.__file__).parent / "vendor"
DESCRIPTION = (
    "A shop's agents answer customers in one inbox, over WhatsApp, and nothing is ever lost. "
    "All times are UTC, ISO 8601 with six decimals and no offset. Every error has a `detail`."
)
SPEC = {
    "info": {"description": DESCRIPTION},
    "components": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "Of `POST /tokens`."},
        }
    },
    # None at all on a developer's machine, and for a browser that has signed in.
    "security": [{}, {"token": []}],
}
# Both pages bring a script of their own inline; ReDoc would fetch its maker's logo from afar.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; worker-src 'self' blob:; frame-ancestors 'none'"
)


class CrmApi(Api):  # type: ignore[misc]
    """flask-smorest with this product's error body; errors are answered by `crm.api.errors`."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        """None of its own: one place answers errors."""


@public
def send_swagger_asset(name: str) -> Response:
    """A file of Swagger UI."""
    return send_from_directory(SWAGGER_UI, name)


@public
def send_redoc_asset(name: str) -> Response:
    """A file of ReDoc."""
    return send_from_directory(REDOC, name)


def init_openapi(app: Flask) -> None:
    """Register the resources and the pages that describe them."""
    app.config.update(
        API_TITLE="WhatsApp CRM",
        API_VERSION="1.0",
        API_SPEC_OPTIONS=SPEC,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        OPENAPI_SWAGGER_UI_PATH="/docs",
        OPENAPI_SWAGGER_UI_URL="/docs/assets/swagger/",
        OPENAPI_REDOC_PATH="/redoc",
        OPENAPI_REDOC_URL="/docs/assets/redoc/redoc.standalone.js",
    )
    api = CrmApi(app)
    modules = (customers, customer_files, presence, messages, stream, callbacks, gateway, auth)
    for module in (*modules, agents, tokens, audit, system):
        api.register_blueprint(module.blp)
    app.add_url_rule("/docs/assets/swagger/<path:name>", view_func=send_swagger_asset)
    app.add_url_rule("/docs/assets/redoc/<path:name>", view_func=send_redoc_asset)
    for endpoint in ("openapi_json", "openapi_swagger_ui", "openapi_redoc"):
        name = f"api-docs.{endpoint}"
        app.view_functions[name] = _opened(app.view_functions[name])


def _opened(view: Any) -> Any:
    """A page of the documentation: open to anyone, and asking nobody but us for anything."""

    def opened(**values: Any) -> Response:
        response = make_response(view(**values))
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    return public(opened)
