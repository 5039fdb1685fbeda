"""Encrypted connections: certificates of both sides, and what to do when one of them is refused."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path
from typing import NoReturn

from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress

PROBE_TIMEOUT_S = 2.0
"""Maximum time of each step of `alert`."""

_HOST_MISMATCH = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_EXPIRED, _NOT_YET_VALID = 10, 9

_ALERTS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "demands a client certificate: name it with --cert and its key with --key",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "ends the TLS handshake: if it demands a client certificate, name it with --cert "
    "and its key with --key",
    "TLSV1_ALERT_UNKNOWN_CA": "does not know the authority that signed the client certificate {cert}: use one that "
    "its own authority has signed",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "refuses the client certificate {cert}, which has expired: renew it",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "refuses the client certificate {cert}, which has been revoked: renew it",
    "SSLV3_ALERT_BAD_CERTIFICATE": "refuses the client certificate {cert} as not valid: check that it was made for "
    "this broker, and for clients",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "refuses the client certificate {cert} as not made for clients: use one "
    "whose extended key usage is clientAuth",
    "WRONG_VERSION_NUMBER": "does not speak TLS on this port: use its TLS port, or write mqtt:// instead of mqtts://",
}
"""What a broker does and what to do about it, by OpenSSL's name of the problem."""


def client_context(address: BrokerAddress) -> ssl.SSLContext | None:
    """Return the TLS settings for a broker; None if the address is not encrypted.

    Raises
    ------
    UsageError
        A file of the address cannot be read, is not what it should be, or the key is encrypted or of another
        certificate.
    """
    if not address.tls:
        return None
    for name, file in (("ca", address.ca), ("cert", address.cert), ("key", address.key)):
        if file is not None:
            _check_readable(name, file)
    try:
        context = ssl.create_default_context(cafile=address.ca)
    except ssl.SSLError:
        raise UsageError(f"ca {address.ca} contains no certificate in PEM format: name that of the authority") from None
    if address.cert is not None:
        _load_certificate(context, address.cert, address.key)
    context.sslsocket_class = _ClosingSocket
    return context


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when its handshake fails; paho leaves that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise


def _check_readable(name: str, file: Path) -> None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise UsageError(f"{name} {file} cannot be read ({error.strerror}): check its name and rights") from None


def _load_certificate(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    def refuse() -> NoReturn:
        # OpenSSL would ask on the terminal.
        raise UsageError(
            f"key {key or cert} is encrypted: decrypt it with 'openssl pkey -in {key or cert} -out FILE', "
            "with rights for its owner only, and name FILE"
        )

    try:
        context.load_cert_chain(cert, key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"key {key or cert} is not the key of certificate {cert}: name both of one pair") from None
        if key is None:
            raise UsageError(
                f"cert {cert} does not contain a certificate and its key in PEM format: name the key with --key"
            ) from None
        raise UsageError(f"cert {cert} or key {key} is damaged or not in PEM format: make them again") from None


def cause_of(error: BaseException) -> OSError | None:
    """Return the TLS or network problem that caused an exception. aiomqtt keeps it in ``__context__``."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def explanation(problem: OSError | None, address: BrokerAddress) -> str | None:
    """Return what is wrong with a certificate and what to do, about "it", the broker; None if trying again may help."""
    if not isinstance(problem, ssl.SSLError):
        return None
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate {_why_untrusted(problem, address)}"
    alert = _ALERTS.get(problem.reason or "")
    return alert and f"it {alert.format(cert=address.cert)}"


def _why_untrusted(problem: ssl.SSLCertVerificationError, address: BrokerAddress) -> str:
    if problem.verify_code in _HOST_MISMATCH:
        return f"is for another host than {address.host!r}: use a host name that it contains"
    if problem.verify_code == _EXPIRED:
        return "has expired: the broker needs a new one; or the clock of this machine is wrong"
    if problem.verify_code == _NOT_YET_VALID:
        return "is not valid yet: check the clock of this machine"
    known = f"those in {address.ca}" if address.ca else "the system's"
    return (
        f"is not trusted ({problem.verify_message}; authorities: {known}): "
        "name the file of its certificate authority with --ca"
    )


def alert(address: BrokerAddress, context: ssl.SSLContext) -> ssl.SSLError | None:
    """Connect, send nothing, and return the TLS problem that the broker reports; None if it reports none. Blocks.

    With TLS 1.3 a broker refuses a client certificate only after the client has finished its handshake. What the client
    has sent by then makes the broker reset the connection, and its report can be lost. Here it has sent nothing.
    """
    with contextlib.suppress(OSError):
        try:
            with (
                socket.create_connection((address.host, address.port), PROBE_TIMEOUT_S) as plain,
                context.wrap_socket(plain, server_hostname=address.host) as encrypted,
            ):
                encrypted.recv(1)
        except ssl.SSLError as error:
            return error
    return None
