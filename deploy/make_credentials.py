#!/usr/bin/env python3
"""Make the certificates and passwords of a ward; needs Python and the openssl command, and no other package.

    python3 make_credentials.py broker.example 192.0.2.7

writes into ``credentials/``, beside this file: a certificate authority; the broker's certificate for the hosts named,
for this machine and for the container ``broker``; for each role a certificate and a password; and ``passwords``, the
hashes for Mosquitto. Files that exist are kept: to renew one, delete it and run the command again.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import ipaddress
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

ROLES = ("publisher", "worker", "monitor", "logger", "instructor", "student", "observer")
"""Those of the file ``acl``."""

LOCAL_HOSTS = ("broker", "localhost", "127.0.0.1", "::1")
CA_DAYS = 3650
ITERATIONS = 101
"""Rounds of PBKDF2; Mosquitto's default. The passwords are random numbers of 192 bits, which need no more."""

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def main() -> int:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description="Make the certificates and passwords of a ward.")
    parser.add_argument(
        "hosts", nargs="+", metavar="HOST", help="names and addresses by which clients reach the broker"
    )
    parser.add_argument("--days", type=int, default=365, metavar="N", help="validity (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "credentials", metavar="DIR", help="default: %(default)s"
    )
    args = parser.parse_args()
    os.umask(0o077)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        authority(args.out)
        certificate(args.out, "broker", args.days, ("serverAuth", [*args.hosts, *LOCAL_HOSTS]))
        for role in ROLES:
            certificate(args.out, role, args.days, ("clientAuth", []))
        passwords(args.out)
    except OSError as error:
        return _fail(f"{error.filename or args.out}: {error.strerror}")
    except subprocess.CalledProcessError as error:
        return _fail(f"openssl: {error.stderr.decode(errors='replace').strip().splitlines()[0]}")
    print(f"certificates and passwords are in {args.out}; keep ca.key away from the broker")
    return 0


def _fail(text: str) -> int:
    print(f"make_credentials: error: {text}", file=sys.stderr)
    return 2


def openssl(*arguments: str | Path) -> None:
    """Run openssl; raises OSError or CalledProcessError."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder: Path) -> None:
    """Make the certificate authority."""
    if (folder / "ca.crt").exists():
        return
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    subject = "/CN=bedside certificate authority"
    key = folder / "ca.key"
    days = ("-days", str(CA_DAYS))
    openssl("req", "-x509", *_KEY, *days, "-subj", subject, *extensions, "-keyout", key, "-out", folder / "ca.crt")


def certificate(folder: Path, name: str, days: int, use: tuple[str, list[str]]) -> None:
    """Make a certificate with the common name ``name``, and its key.

    Parameters
    ----------
    folder : Path
    name : str
    days : int
        Validity.
    use : (str, list of str)
        Extended key usage, and the hosts that it is for.
    """
    if (folder / f"{name}.crt").exists():
        return
    purpose, hosts = use
    lines = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", f"extendedKeyUsage={purpose}"]
    if hosts:
        lines.append("subjectAltName=" + ",".join(f"{_kind(host)}:{host}" for host in dict.fromkeys(hosts)))
    with tempfile.TemporaryDirectory() as scratch:
        request, extensions = Path(scratch) / "request", Path(scratch) / "extensions"
        extensions.write_text("\n".join(lines) + "\n")
        openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", request)
        signer = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-set_serial", str(secrets.randbits(120)))
        dates_and_use = ("-days", str(days), "-extfile", extensions)
        openssl("x509", "-req", "-in", request, *signer, *dates_and_use, "-out", folder / f"{name}.crt")


def _kind(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "DNS"
    return "IP"


def passwords(folder: Path) -> None:
    """Make a password for each role, and the file of hashes for Mosquitto."""
    lines = []
    for role in ROLES:
        file = folder / f"{role}.password"
        if not file.exists():
            file.write_text(secrets.token_urlsafe(24) + "\n")
        lines.append(f"{role}:{_hash(file.read_text().strip())}")
    (folder / "passwords").write_text("\n".join(lines) + "\n")


def _hash(password: str) -> str:
    """Return a password in the format of mosquitto_passwd: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


if __name__ == "__main__":
    sys.exit(main())
