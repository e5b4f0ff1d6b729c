"""A backend in Node, whose tokens `jsonwebtoken` signs, and the SDK for browsers with what it gets from there."""

import subprocess
import urllib.request
from urllib.parse import urlencode

import pytest

from support import token_keys
from support.process_lifetime import die_with_parent
from support.sdk import Sdk, SdkError, js_command
from support.token_keys import SECRET

pytestmark = pytest.mark.parametrize("sdk", [Sdk("js", "json"), Sdk("js", "protobuf")], ids=str)
KEYS = {"RS256": "rsa", "RS512": "rsa", "ES256": "p256", "ES384": "p384"}


class Backend:
    def __init__(self, algorithm, key_file):
        command = [*js_command("js/backend.mjs"), algorithm, str(key_file)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
        )
        self._port = int(self._process.stdout.readline())

    def token(self, user, **more):
        asked = urlencode({"user": user} | more)
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/token?{asked}", timeout=10) as answer:
            return answer.read().decode()

    def end(self):
        self._process.kill()  # it keeps nothing
        self._process.communicate()


@pytest.fixture
def start_backend(tmp_path):
    """`start_backend(algorithm)`: one with a new key, and the option by which Canang knows it."""
    backends = []

    def start(algorithm):
        key_file, public = (tmp_path / f"{kind}{len(backends)}" for kind in ("key", "public"))
        if algorithm.startswith("HS"):
            key_file.write_text(SECRET + "\n")
            option = {"token_hmac_secret_file": str(key_file)}
        else:
            key = token_keys.make(KEYS[algorithm])
            key_file.write_bytes(token_keys.private_pem(key))
            public.write_bytes(token_keys.public_pem(key))
            option = {"token_public_key": str(public)}
        backends.append(Backend(algorithm, key_file))
        return backends[-1], option

    yield start
    for backend in backends:
        backend.end()


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", *KEYS])
async def test_its_users_come_in_with_their_names(start_canang, start_client, start_backend, algorithm):
    backend, option = start_backend(algorithm)
    canang = start_canang(**option)
    ann = start_client(canang.port, has_token=True)
    await ann.take_token(backend.token("ann", name="Ann"))
    await ann.connect()
    await ann.join("r")
    [member] = await ann.presence("r")
    assert (member["user"], member["info"]) == ("ann", {"name": "Ann"})


async def test_its_tokens_open_private_rooms_and_are_refreshed(start_canang, start_client, start_backend):
    backend, option = start_backend("ES256")
    canang = start_canang(**option, token_leeway="0s")
    ann = start_client(canang.port, has_token=True)
    await ann.has_started()
    await ann.take_token(backend.token("ann", lasts=5))
    await ann.connect()
    with pytest.raises(SdkError) as refused:
        await ann.publish("$board", 1)
    assert refused.value.code == 103
    await ann.take_token(backend.token("ann", room="$board"), "$board")
    await ann.take_token(backend.token("ann"))
    await ann.join("$board")
    await ann.has("asked", 2, "")
    await ann.until(
        lambda: canang.metrics().total("canang_token_checks_total", result="good") == 3, "it is taken"
    )
    await ann.publish("$board", 1)
    await ann.has("publication", 1, "$board")
    assert not ann.of("disconnected") and len(ann.of("connected")) == 1


async def test_what_another_backend_signed_is_refused(start_canang, start_client, start_backend):
    backend, option = start_backend("RS256")
    canang = start_canang(**option)
    other, _ = start_backend("RS256")
    ann = start_client(canang.port, has_token=True)
    await ann.take_token(other.token("ann"))
    await ann.ask("connect")
    [end] = await ann.has("disconnected")
    assert end["code"] == 3500
