"""The broker's address: ``mqtt://user:password@host:port``, ``mqtts://user@host:port?ca=FILE&cert=FILE&key=FILE``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from stream.errors import UsageError

BROKER_VARIABLE = "BEDSIDE_BROKER"
"""Environment variable that names the broker."""

PASSWORD_VARIABLE = "BEDSIDE_PASSWORD"
"""Environment variable that contains the password of the user in the address."""

FILE_VARIABLES = {
    "ca": "BEDSIDE_CA",
    "cert": "BEDSIDE_CERT",
    "key": "BEDSIDE_KEY",
    "password-file": "BEDSIDE_PASSWORD_FILE",
}
"""Files of a connection: their names as options and in the URL's query, and their environment variables."""

DEFAULT_URL = "mqtt://127.0.0.1:1883"
MAX_PASSWORD_BYTES = 65_535
_PORTS = {"mqtt": 1883, "mqtts": 8883}

Files = Mapping[str, str]
"""Paths by the names of `FILE_VARIABLES`."""


@dataclass(frozen=True)
class BrokerAddress:
    """The address of a broker. Its string form omits user name, password and files.

    Attributes
    ----------
    host : str
    port : int
    tls : bool
        True for ``mqtts://``: encrypted, and the broker's certificate is verified.
    username, password : str or None
    ca : Path or None
        Certificates of the authorities that may sign the broker's certificate. None: those of the system, or those in
        the file named by the environment variable ``SSL_CERT_FILE``.
    cert, key : Path or None
        Certificate of this client and its private key. None for the key: the certificate's file contains it.
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Parse a URL, and read its password file if it names one.

        Raises
        ------
        UsageError
            The URL is not ``mqtt://`` or ``mqtts://`` with a host, or contains more than user, password, host, port
            and a query with the names of `FILE_VARIABLES`. The message repeats no part of a malformed URL: any part
            may belong to the password. Or a file does not fit the address, see `with_files`.
        """
        parts = _split(url)
        return cls._of(parts).with_files(_query(parts))

    @classmethod
    def from_environment(cls, url: str | None = None, files: Files | None = None) -> BrokerAddress:
        """Return the address of ``url``, else of ``BEDSIDE_BROKER``, else ``mqtt://127.0.0.1:1883``.

        The files come from ``files``, else from the URL, else from the environment. Those of the environment apply
        only where they can: certificates with ``mqtts://``, passwords if the URL names a user without a password.

        Raises
        ------
        UsageError
            See `parse`.
        """
        parts = _split(url or os.environ.get(BROKER_VARIABLE) or DEFAULT_URL)
        address = cls._of(parts)
        given = _merged(files or {}, _query(parts))
        variables = {name: path for name, variable in FILE_VARIABLES.items() if (path := os.environ.get(variable))}
        usable = set()
        if address.tls:
            usable |= {"ca", "cert", "key"}
        if address.username and address.password is None:
            usable.add("password-file")
            password = os.environ.get(PASSWORD_VARIABLE)
            if password and "password-file" not in given:
                usable.remove("password-file")
                address = replace(address, password=password)
        return address.with_files(_merged(given, {name: variables[name] for name in usable & variables.keys()}))

    @classmethod
    def _of(cls, parts: SplitResult) -> BrokerAddress:
        assert parts.hostname
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def with_files(self, files: Files) -> BrokerAddress:
        """Return this address with the given files; the password file is read now, the others at each start.

        Raises
        ------
        UsageError
            A certificate without ``mqtts://``, a key without its certificate, a password file without a user name or
            beside a password, or one that cannot be read or contains no password.
        """
        paths = {name: Path(path) for name, path in files.items()}
        for name in ("ca", "cert", "key"):
            if name in paths and not self.tls:
                raise UsageError(f"{name} {paths[name]} needs TLS: write mqtts:// instead of mqtt://")
        if "key" in paths and "cert" not in paths:
            raise UsageError(f"key {paths['key']} has no certificate: name it, too, with --cert")
        address = replace(self, ca=paths.get("ca"), cert=paths.get("cert"), key=paths.get("key"))
        if (file := paths.get("password-file")) is None:
            return address
        if not self.username:
            raise UsageError(f"password file {file} has no user: write the broker's address as mqtts://USER@HOST")
        if self.password:
            raise UsageError(f"password file {file} and a password in the broker's address: use one of them")
        return replace(address, password=_read_password(file))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _malformed("host or port not valid") from None
    if parts.scheme not in _PORTS:
        raise _malformed("it must start with mqtt:// or mqtts://")
    if parts.path not in ("", "/") or parts.fragment:
        # An unescaped one of these characters in a password makes the part before it parse as the host.
        raise _malformed("'/' or '#' after the host")
    if not parts.hostname:
        raise _malformed("no host")
    if port == 0:
        raise _malformed("port 0; use 1 to 65535")
    return parts


def _query(parts: SplitResult) -> Files:
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        pairs = [("", "")]
    if any(name not in FILE_VARIABLES or not path for name, path in pairs):
        raise _malformed("after '?' only ca=FILE, cert=FILE, key=FILE and password-file=FILE are known")
    return dict(pairs)


def _merged(first: Files, second: Files) -> Files:
    """Return ``first``, completed by ``second``, whose key is not for the certificate of ``first``."""
    other_key = {"key"} if "cert" in first else set()
    return {**{name: path for name, path in second.items() if name not in other_key}, **first}


def _read_password(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_PASSWORD_BYTES + 2)
        password = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UsageError(f"password file {file} cannot be read ({error.strerror}): check its name and rights") from None
    except UnicodeDecodeError:
        raise UsageError(f"password file {file} is not UTF-8: write the password into it, no more") from None
    if not password or "\n" in password or len(password.encode()) > MAX_PASSWORD_BYTES:
        raise UsageError(f"password file {file} must contain one line, the password")
    return password


def _malformed(problem: str) -> UsageError:
    return UsageError(
        f"broker address not understood ({problem}): write mqtt://host:port or mqtts://user:password@host:port, "
        "with '/', '?', '#', '[' and '%' in user or password written as %2F, %3F, %23, %5B and %25"
    )
