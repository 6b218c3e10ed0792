"""Headers that keep browsers from doing with an answer what it is not for."""

from flask import Flask, Response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    # Answers are data; the pages of the documentation bring a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
ONLY_TLS = "max-age=31536000; includeSubDomains"


def init_headers(app: Flask, *, is_production: bool) -> None:
    """Put them on every answer that does not say otherwise."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if is_production:
            response.headers["Strict-Transport-Security"] = ONLY_TLS
        return response
