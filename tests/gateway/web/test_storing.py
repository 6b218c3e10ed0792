"""The inbox and the real store, where PostgreSQL refuses what SQLite takes."""

from gateway.drivers.web.addresses import Customer
from gateway.drivers.web.inbox import Inbox
from gateway.drivers.web.line import Address
from gateway.drivers.web.people import People
from gateway.recorder import Recorder
from gateway.store.callbacks import callbacks
from gateway.store.database import Store
from gateway.store.tables import media
from tests.kit.waiting import eventually


class Nobody:
    """A directory in which nobody stands."""

    def find_phone(self, lid: str) -> str | None:
        return None

    def find_lid(self, phone: str) -> str | None:
        return None

    def is_ours(self, address: Address) -> bool:
        return False

    def has_met(self, customer: Customer) -> bool:
        return False


def test_a_message_whose_file_postgresql_cannot_take_is_stored_without_it(postgres, write):
    store = Store(postgres.create_database())
    store.create_tables()
    nothing = lambda: None  # noqa: E731
    sink = Recorder(store, on_event=nothing, on_state=nothing, on_update=nothing)
    inbox = Inbox(Nobody(), People())
    odd = write.message({"imageMessage": write.file(caption="this one?")})
    odd.Info.ID = "A" * 200
    inbox.put(odd)
    inbox.put(write.message({"imageMessage": write.file(caption="another")}))
    inbox.start(sink)

    def bodies() -> list[str]:
        with store.reading() as connection:
            return [row.body for row in connection.execute(callbacks.select().order_by("id"))]

    first, second = eventually(lambda: len(bodies()) == 2 and bodies())
    inbox.stop(5)
    assert "this one?" in first and '"media"' not in first
    assert "another" in second and '"media"' in second
    with store.reading() as connection:
        assert len(connection.execute(media.select()).all()) == 1
    store.close()
