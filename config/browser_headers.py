"""Headers that keep browsers from doing with an answer what it is not for; on every answer."""

HARDENING = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
ONLY_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""In production."""
