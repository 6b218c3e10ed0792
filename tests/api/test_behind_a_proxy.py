"""Lists asked for again in the same words, by way of a proxy."""

from pathlib import Path

from tests.kit.app import running_backend
from tests.kit.redis_server import RedisServer


def test_behind_a_proxy_each_name_is_linked_under_itself(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
    with running_backend(url, redis_server.url, {"proxy_hops": 1}) as behind:
        client = behind.client()
        for number in range(2):
            body = {"name": "MK Gan", "phone": f"6012345678{number}"}
            assert client.post("/customers/", json=body).status_code == 201
        for host in ["localhost", "127.0.0.1"] * 2:
            headers = {"X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
            answer = client.get("/customers/?limit=1", headers=headers)
            assert answer.headers["Link"].startswith(f"<https://{host}/customers/?")
