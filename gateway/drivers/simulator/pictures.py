"""Drawn faces: initials on a colour that changes with each new picture."""

import hashlib
from html import escape


def draw_picture(phone: str, name: str, number: int) -> str:
    """An SVG image, 96 by 96."""
    digest = hashlib.sha256(f"{phone}/{number}".encode()).digest()
    hue = int.from_bytes(digest[:2]) % 360
    initials = "".join(part[0] for part in name.split()[:2] if part[0].isalpha()) or "#"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">'
        f'<rect width="96" height="96" fill="hsl({hue} 45% 42%)"/>'
        f'<circle cx="{20 + digest[2] % 56}" cy="{16 + digest[3] % 30}" r="34"'
        f' fill="hsl({(hue + 40) % 360} 55% 55%)" opacity=".55"/>'
        '<text x="48" y="60" text-anchor="middle" font-family="sans-serif" font-size="34"'
        f' fill="#fff">{escape(initials.upper())}</text></svg>'
    )
