"""Files are served as what their bytes say they are, and never as something that runs."""

import pytest

from gateway.drivers.simulator.files import draw_png

PDF = b"%PDF-1.7 a contract"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PNG = draw_png("any")


@pytest.mark.parametrize(
    ("data", "sent_as", "found"),
    [
        (PNG, ("image", "image/jpeg"), ("image/png", "image", True)),
        (PNG, ("document", "application/pdf"), ("image/png", "image", True)),
        (b"\xff\xd8\xff\xe0 a jpeg", ("image", "image/jpeg"), ("image/jpeg", "image", True)),
        (b"RIFF0000WEBPVP8 ", ("sticker", "image/webp"), ("image/webp", "sticker", True)),
        (b"OggS voice", ("audio", "audio/ogg; codecs=opus"), ("audio/ogg", "audio", True)),
        (b"0000ftypisom", ("audio", "audio/mp4"), ("audio/mp4", "audio", True)),
        (b"0000ftypisom", ("video", "video/mp4"), ("video/mp4", "video", True)),
        (PDF, ("document", "application/pdf"), ("application/pdf", "document", False)),
        (b"a,b", ("document", "text/csv"), ("text/csv", "document", False)),
        (SVG, ("image", "image/svg+xml"), ("application/octet-stream", "document", False)),
        (b"<html>", ("document", "text/html"), ("application/octet-stream", "document", False)),
        (b"<html>", ("image", "image/png"), ("application/octet-stream", "document", False)),
        (b"", ("image", "image/png"), ("application/octet-stream", "document", False)),
    ],
)
def test_a_file_is_what_its_bytes_say(get, write_file, fetched, data, sent_as, found):
    mime, kind, inline = found
    write_file(data=data, kind=sent_as[0], mime=sent_as[1])
    (stored,) = fetched()
    assert (stored["mime"], stored["kind"], stored["state"]) == (mime, kind, "stored")
    answer = get(f"/media/{stored['id']}")
    assert answer.data == data
    assert answer.mimetype == mime
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    shown = answer.headers["Content-Disposition"].partition(";")[0]
    assert shown == ("inline" if inline else "attachment")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("contract.pdf", "contract.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\bill.pdf", "bill.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("x" * 250 + ".pdf", "x" * 116 + ".pdf"),
        ("...", None),
        ("发票.pdf", "发票.pdf"),
    ],
)
def test_a_file_s_name_is_made_safe(get, write_file, fetched, given, kept):
    write_file(data=PDF, kind="document", mime="application/pdf", name=given)
    (stored,) = fetched()
    assert stored["name"] == kept
    disposition = get(f"/media/{stored['id']}").headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    assert "\n" not in disposition


def test_a_part_of_a_file_may_be_asked_for(get, write_file, fetched):
    write_file(data=PDF, kind="document", mime="application/pdf")
    (stored,) = fetched()
    answer = get(f"/media/{stored['id']}", headers={"Range": "bytes=5-7"})
    assert (answer.status_code, answer.data) == (206, b"1.7")
    again = get(f"/media/{stored['id']}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
