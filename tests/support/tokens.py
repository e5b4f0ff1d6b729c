"""Tokens as a backend makes them: JWTs, signed with a secret or a private key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time
from pathlib import Path
from typing import Any

SECRET = "a secret of thirty-two characters"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))


def token(user: str | None = "ann", secret: str = SECRET, *, lasts: float | None = None, **claims: Any) -> str:
    """Of a user, for so many seconds from now; with HS256."""
    if user is not None:
        claims["sub"] = user
    if lasts is not None:
        claims["exp"] = int(time.time() + lasts)
    text = unsigned({"alg": "HS256", "typ": "JWT"}, claims)
    return f"{text}.{base64url(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


def room_token(room: str, user: str | None = "ann", secret: str = SECRET, **more: Any) -> str:
    return token(user, secret, channel=room, **more)


class RsaKey:
    """A new one; `public` is a file with its public half."""

    def __init__(self, folder: Path, name: str = "key") -> None:
        self.private, self.public = folder / f"{name}.pem", folder / f"{name}.public.pem"
        self._openssl("genrsa", "-out", str(self.private), "2048")
        self._openssl("rsa", "-in", str(self.private), "-pubout", "-out", str(self.public))

    def token(self, user: str = "ann", **claims: Any) -> str:
        text = unsigned({"alg": "RS256", "typ": "JWT"}, {"sub": user} | claims)
        signed = self._openssl("dgst", "-sha256", "-sign", str(self.private), given=text.encode())
        return f"{text}.{base64url(signed)}"

    @staticmethod
    def _openssl(*arguments: str, given: bytes = b"") -> bytes:
        return subprocess.run(
            ["openssl", *arguments], input=given, check=True, capture_output=True
        ).stdout
