"""Certificates as an operator would make them, with the `openssl` command."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Two PEM files."""

    certificate: Path
    key: Path


class Authority:
    """One that certifies, with its files in a directory."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.directory = directory
        self.name = name
        self.certificate = directory / f"{name}.pem"
        self._openssl(
            *("req", "-x509", *_new_key(), "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )

    def certify(self, name: str, days: int = 2, host: str = "localhost") -> Certificate:
        """For that host and 127.0.0.1; with less than one day it has expired."""
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
        self._openssl(
            *("req", *_new_key(), "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        self._openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-days", str(days), "-extfile", f"{name}.ext"),
            *("-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key", "-CAcreateserial"),
            *("-out", f"{name}.pem"),
        )
        return Certificate(self.directory / f"{name}.pem", self.directory / f"{name}.key")

    def client(self, own: Certificate | None = None) -> ssl.SSLContext:
        """Of a client that trusts this authority alone, and shows `own` where it is asked."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        return context

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.directory, check=True, capture_output=True
        )


def _new_key() -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
