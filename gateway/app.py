"""The application: HTTP doors around one `GatewayService`."""

from flask import Flask

from config.settings import Settings, load_settings
from gateway.access import add_access_rule
from gateway.api import api, internal
from gateway.errors import add_error_handlers
from gateway.request_ids import add_request_ids
from gateway.service import GatewayService

MAX_BODY = 256 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """Build the app and its tables. Background threads start with `extensions["gateway"].start()`.

    Raises SettingsError where the environment cannot be used.
    """
    settings = settings or load_settings("gateway")
    app = Flask("gateway", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the contract's order reads better
    app.url_map.strict_slashes = False
    add_request_ids(app)
    add_error_handlers(app)
    add_access_rule(app, settings)
    service = GatewayService(settings)
    app.extensions["gateway"] = service
    app.register_blueprint(api)
    app.register_blueprint(internal)
    service.driver.mount(app)
    return app
