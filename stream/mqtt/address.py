"""The broker's address: ``mqtt://user:password@host:port``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from stream.errors import UsageError

BROKER_VARIABLE = "BEDSIDE_BROKER"
"""Environment variable that names the broker."""

DEFAULT_URL = "mqtt://127.0.0.1:1883"
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class BrokerAddress:
    """The address of a broker. Its string form omits user name and password.

    Attributes
    ----------
    host : str
    port : int
    tls : bool
        True for ``mqtts://``: encrypted; the certificate is verified against the system's certificate authorities, or
        against those in the file named by the environment variable ``SSL_CERT_FILE``.
    username, password : str or None
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Parse a URL.

        Raises
        ------
        UsageError
            The URL is not ``mqtt://`` or ``mqtts://`` with a host, or contains more than user, password, host and
            port. The message repeats no part of the URL: in a malformed URL any part may belong to the password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise _malformed("host or port not valid") from None
        if parts.scheme not in _PORTS:
            raise _malformed("it must start with mqtt:// or mqtts://")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            # An unescaped one of these characters in a password makes the part before it parse as the host.
            raise _malformed("'/', '?' or '#' after the host")
        if not host:
            raise _malformed("no host")
        if port == 0:
            raise _malformed("port 0; use 1 to 65535")
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @classmethod
    def from_environment(cls, url: str | None = None) -> BrokerAddress:
        """Parse ``url``, else ``BEDSIDE_BROKER``, else the default ``mqtt://127.0.0.1:1883``."""
        return cls.parse(url or os.environ.get(BROKER_VARIABLE) or DEFAULT_URL)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def _malformed(problem: str) -> UsageError:
    return UsageError(
        f"broker address not understood ({problem}): write mqtt://host:port or mqtts://user:password@host:port, "
        "with '/', '?', '#', '[' and '%' in user or password written as %2F, %3F, %23, %5B and %25"
    )
