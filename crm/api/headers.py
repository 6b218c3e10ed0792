"""The headers for browsers, on every answer of the API."""

from flask import Flask, Response

from config.browser_headers import HARDENING, ONLY_TLS

HEADERS = {
    **HARDENING,
    # Answers are data; the pages of the documentation bring a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def init_headers(app: Flask, *, is_production: bool) -> None:
    """Put them on every answer that does not say otherwise."""

    @app.after_request
    def harden(response: Response) -> Response:
        if "Content-Security-Policy" in response.headers:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        else:  # as nearly all, which bring none of the others either
            response.headers.extend(HEADERS)
        if is_production:
            response.headers.update(ONLY_TLS)
        return response
