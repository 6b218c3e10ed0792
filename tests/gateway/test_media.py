"""Files of customers: told at once, fetched apart, served as what they truly are."""

import os
import re
import time

import pytest
from sqlalchemy import select

from gateway.clock import now
from gateway.drivers.events import Inbound, Media, MediaKind, Picture
from gateway.drivers.simulator.files import draw_png
from gateway.media import DAY, MAX_TRIES
from gateway.media_files import STRAY_AFTER
from gateway.store.tables import media as media_table
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

OTHER = "4915228817386"
SVG = b"<svg/>"
PNG = draw_png("any")
INBOX, FETCHED, PHOTO = "/messages/inbox", "/messages/media", "/customers/photo"
PDF = b"%PDF-1.7 a contract"


@pytest.fixture
def make_due(service):
    """Files that wait for another try are tried at once."""

    def change() -> None:
        with service.store.transaction() as connection:
            connection.execute(media_table.update().values(due_at=0))
        service.media.wake()

    return change


def tries(store) -> int:
    with store.reading() as connection:
        return connection.scalar(select(media_table.c.tries))


def folder(settings) -> list[str]:
    path = settings.var_dir / "media"
    return sorted(os.listdir(path)) if path.exists() else []


def test_a_picture_is_told_with_its_message_and_again_once_it_is_here(
    client, get, write_file, backend, fetched
):
    whatsapp_id = write_file("my photo")
    (stored,) = fetched()
    announced = backend.bodies(INBOX)[0]
    media_id = stored["id"]
    assert announced["content"] == "my photo"
    assert announced["media"] | {"size": None} == {
        "id": media_id,
        "kind": "image",
        "mime": "image/png",
        "size": None,
        "name": None,
        "state": "pending",
    }
    told = backend.bodies(FETCHED)[0]
    assert (told["phone"], told["whatsapp_id"]) == (PHONE, whatsapp_id)
    assert (stored["state"], stored["mime"]) == ("stored", "image/png")
    answer = get(f"/media/{media_id}")
    assert answer.status_code == 200
    assert answer.data.startswith(b"\x89PNG")
    assert len(answer.data) == stored["size"] == int(answer.headers["Content-Length"])
    assert re.fullmatch(r"[\w-]{32}", media_id)
    assert client.get("/status").json["media"] == {
        "pending": 0, "stored": 1, "failed": 0, "expired": 0,
    }  # fmt: skip


def test_a_message_comes_before_its_file_and_the_next_one_after(write_file, backend, fetched):
    write_file("first")
    fetched()
    write_file("second")
    fetched(2)
    ours = [call.path for call in backend.taken()]
    assert ours == [INBOX, FETCHED, INBOX, FETCHED]


def test_a_download_that_fails_holds_up_neither_text_nor_other_files(
    client, write_file, misbehave, backend, fetched, make_due
):
    misbehave(media_failures=100)
    write_file("with a file")
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "just text"})
    eventually(lambda: len(backend.bodies(INBOX)) == 2)
    eventually(lambda: client.get("/status").json["media"]["pending"] == 1)
    misbehave(media_failures=0)
    write_file("another file")
    assert fetched()[0]["id"] == backend.bodies(INBOX)[2]["media"]["id"]
    make_due()
    assert {file["state"] for file in fetched(2)} == {"stored"}


def test_a_file_that_is_not_here_yet_says_when_to_ask_again(get, write_file, misbehave, backend):
    misbehave(media_failures=100)
    write_file()
    media_id = eventually(lambda: backend.bodies(INBOX))[0]["media"]["id"]
    answer = get(f"/media/{media_id}")
    assert answer.status_code == 425
    assert int(answer.headers["Retry-After"]) > 0
    assert get("/media/unknown").status_code == 404


def test_a_file_over_the_limit_fails_with_its_reason(service, get, write_file, fetched, settings):
    service.media.files.max_bytes = 1000
    write_file(data=PDF + b"x" * 1000, kind="document", mime="application/pdf")
    (failed,) = fetched()
    assert failed["state"] == "failed"
    assert "MEDIA_MAX_BYTES" in failed["reason"]
    answer = get(f"/media/{failed['id']}")
    assert (answer.status_code, answer.json["detail"]) == (410, failed["reason"])
    assert folder(settings) == []


def test_a_size_that_was_not_announced_is_limited_all_the_same(service, fetched, settings):
    service.media.files.max_bytes = 20_000
    data = b"x" * 40_000
    given = service.driver.files.give(data, kind=MediaKind.VIDEO, mime="video/mp4", name=None)
    media = Media(kind=MediaKind.VIDEO, mime="video/mp4", reference=given.reference)
    service.recorder.inbound(
        Inbound(chat=PHONE, text="", name=None, whatsapp_id="A", at=now(), media=media)
    )
    assert fetched()[0]["state"] == "failed"
    assert folder(settings) == []


def test_a_file_that_whatsapp_does_not_have_any_more_fails(service, fetched):
    media = Media(kind=MediaKind.IMAGE, mime="image/png", reference="given:nothing")
    service.recorder.inbound(
        Inbound(chat=PHONE, text="", name=None, whatsapp_id="A", at=now(), media=media)
    )
    (failed,) = fetched()
    assert (failed["state"], failed["reason"]) == (
        "failed",
        "The pretend WhatsApp has no such file.",
    )


def test_after_days_of_failures_it_is_given_up(service, misbehave, write_file, fetched, make_due):
    misbehave(media_failures=100)
    write_file()
    eventually(lambda: tries(service.store))
    with service.store.transaction() as connection:
        connection.execute(media_table.update().values(tries=MAX_TRIES - 1))
    make_due()
    assert "three days" in fetched()[0]["reason"]


def test_a_message_told_twice_has_one_file(service, fetched, backend, settings):
    media = service.driver.files.draw("one")
    event = Inbound(chat=PHONE, text="", name=None, whatsapp_id="A", at=now(), media=media)
    service.recorder.inbound(event)
    fetched()
    service.recorder.inbound(event)
    eventually(lambda: len(backend.bodies(INBOX)) == 2)
    first, second = (body["media"] for body in backend.bodies(INBOX))
    assert (first["id"], second["state"]) == (second["id"], "stored")
    assert folder(settings) == [first["id"]]


def test_a_new_picture_is_told_once_it_is_here_and_replaces_the_older(
    service, get, backend, settings
):
    for number in (1, 2):
        media = service.driver.files.draw(f"face {number}")
        service.recorder.picture(Picture(chat=PHONE, media=media))
        eventually(lambda number=number: len(backend.bodies(PHOTO)) == number)
    first, second = (body["media_id"] for body in backend.bodies(PHOTO))
    assert backend.bodies(PHOTO)[1] == {"phone": PHONE, "media_id": second}
    eventually(lambda: folder(settings) == [second])
    assert get(f"/media/{first}").status_code == 404
    assert get(f"/media/{second}").data == draw_png("face 2")


def test_a_picture_that_is_none_is_not_told(service, client, backend):
    given = service.driver.files.give(SVG, kind=MediaKind.IMAGE, mime="image/png", name=None)
    service.recorder.picture(Picture(chat=PHONE, media=given))
    eventually(lambda: client.get("/status").json["media"]["failed"] == 1)
    assert backend.bodies(PHOTO) == []


def test_an_older_picture_that_comes_late_does_not_come_back(
    service, misbehave, backend, settings, make_due
):
    misbehave(media_failures=100)
    service.recorder.picture(Picture(chat=PHONE, media=service.driver.files.draw("old")))
    service.recorder.picture(Picture(chat=PHONE, media=service.driver.files.draw("new")))
    misbehave(media_failures=0)
    make_due()
    (photo,) = eventually(lambda: backend.bodies(PHOTO))
    assert folder(settings) == [photo["media_id"]]
    path = settings.var_dir / "media" / photo["media_id"]
    assert path.read_bytes() == draw_png("new")


def test_erasing_a_customer_deletes_the_files(client, get, write_file, fetched, settings):
    write_file()
    write_file(phone=OTHER)
    stored = fetched(2)
    assert client.post("/erase", json={"to": PHONE}).json["erased"] >= 1
    left = [file["id"] for file in stored if get(f"/media/{file['id']}").status_code == 200]
    assert len(left) == 1
    assert folder(settings) == left


def test_a_file_erased_while_it_was_fetched_is_not_kept(service, settings, backend):
    """The download ends after the erasure."""
    started = []

    def pieces():
        started.append(True)
        service.erase(PHONE)
        yield PNG

    service.driver.files.read = lambda reference: pieces()
    media = Media(kind=MediaKind.IMAGE, mime="image/png", reference="any")
    service.recorder.inbound(
        Inbound(chat=PHONE, text="", name=None, whatsapp_id="A", at=now(), media=media)
    )
    eventually(lambda: started and not folder(settings))
    assert backend.bodies(FETCHED) == []


def test_what_was_kept_long_enough_is_deleted_and_says_so(
    service, get, write_file, fetched, settings
):
    write_file()
    (stored,) = fetched()
    with service.store.transaction() as connection:
        connection.execute(media_table.update().values(created_at=now() - 91 * DAY))
    service.media.tidy()
    assert folder(settings) == []
    answer = get(f"/media/{stored['id']}")
    assert answer.status_code == 410
    assert "90 days" in answer.json["detail"]


def test_a_customer_s_picture_is_kept_however_old(service, settings, backend):
    service.recorder.picture(Picture(chat=PHONE, media=service.driver.files.draw("face")))
    eventually(lambda: backend.bodies(PHOTO))
    with service.store.transaction() as connection:
        connection.execute(media_table.update().values(created_at=now() - 900 * DAY))
    service.media.tidy()
    assert len(folder(settings)) == 1


def test_files_that_a_crash_left_behind_are_swept_up(service, settings, write_file, fetched):
    write_file()
    (stored,) = fetched()
    for name in ("stray", "torn.part"):
        stray = settings.var_dir / "media" / name
        stray.write_bytes(b"x")
        old = time.time() - STRAY_AFTER - 60
        os.utime(stray, (old, old))
    (settings.var_dir / "media" / "being-written.part").write_bytes(b"x")
    service.media.tidy()
    assert folder(settings) == sorted([stored["id"], "being-written.part"])


def test_a_file_lost_with_the_disk_is_fetched_again(get, write_file, fetched, settings):
    write_file()
    (stored,) = fetched()
    (settings.var_dir / "media" / stored["id"]).unlink()
    assert get(f"/media/{stored['id']}").status_code == 425
    assert fetched(2)[1] == stored
    assert get(f"/media/{stored['id']}").status_code == 200


def test_files_wait_while_the_connection_is_away(client, misbehave, service, fetched):
    misbehave(connection="need_qr")
    media = service.driver.files.draw("one")
    service.recorder.inbound(
        Inbound(chat=PHONE, text="", name=None, whatsapp_id="A", at=now(), media=media)
    )
    assert client.get("/status").json["media"]["pending"] == 1
    misbehave(connection="ready")
    assert fetched()[0]["state"] == "stored"


@pytest.mark.processes
def test_files_survive_a_kill_at_any_moment(process, backend):
    process.start()
    for number in range(30):
        body = {"phone": str(10_000 + number), "text": "look", "media": {}}
        assert process.post("/simulator/inbound", body).status_code == 201
    process.kill()
    process.start()
    eventually(lambda: len({b["media"]["id"] for b in backend.bodies(FETCHED)}) == 30, timeout=60)
    announced = {body["media"]["id"] for body in backend.bodies(INBOX)}
    assert announced == {body["media"]["id"] for body in backend.bodies(FETCHED)}
    assert {body["media"]["state"] for body in backend.bodies(FETCHED)} == {"stored"}
    assert sorted(os.listdir(process.folder / "media")) == sorted(announced)
