"""Options that several commands have, and how a command is added. Nothing here imports what a command needs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

SCENARIO_HELP = "patients and what happens to them: a file, or a name that 'bedside data scenarios' prints"


class Commands:
    """The commands of ``bedside``.

    Parameters
    ----------
    top : argparse.ArgumentParser
    """

    def __init__(self, top: argparse.ArgumentParser) -> None:
        self._parsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(self, name: str, text: str, *parents: argparse.ArgumentParser, more: str = "") -> argparse.ArgumentParser:
        """Add a command; ``run`` in what is parsed is its name, unless a subcommand sets another.

        Parameters
        ----------
        name, text : str
        parents : argparse.ArgumentParser
            From `Shared`.
        more : str
            What its own help says after the text of the list of commands.
        """
        command = self._parsers.add_parser(name, help=text, description=f"{text}{more}", parents=parents)
        command.set_defaults(run=name)
        return command


def add_subcommand(parsers: Any, name: str, text: str, **more: Any) -> argparse.ArgumentParser:
    """Add a subcommand whose help begins with what the list of subcommands says."""
    parser: argparse.ArgumentParser = parsers.add_parser(name, help=text, description=text, **more)
    return parser


class Shared(NamedTuple):
    """Options of several commands, by subject, each as a parent of their parsers."""

    broker: argparse.ArgumentParser
    metrics: argparse.ArgumentParser
    data: argparse.ArgumentParser
    settings: argparse.ArgumentParser
    weights: argparse.ArgumentParser
    ledger: argparse.ArgumentParser
    ward: argparse.ArgumentParser


def shared_options() -> Shared:
    """Return the options of several commands."""
    return Shared(_broker(), _metrics(), _data(), _settings(), _weights(), _ledger(), _ward())


def _broker() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--broker",
        metavar="URL",
        help="mqtt://user@host:port, mqtts:// for TLS (default: $BEDSIDE_BROKER, else mqtt://127.0.0.1:1883)",
    )
    options.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="file that contains the password of the user in URL (default: $BEDSIDE_PASSWORD_FILE, or the password "
        "itself in $BEDSIDE_PASSWORD)",
    )
    options.add_argument(
        "--ca",
        type=Path,
        metavar="FILE",
        help="certificate of the authority that signed the broker's (default: $BEDSIDE_CA, else the system's "
        "authorities). These four may also stand in the URL: mqtts://host?ca=FILE&cert=FILE&key=FILE",
    )
    options.add_argument(
        "--cert", type=Path, metavar="FILE", help="certificate of this client, for mqtts:// (default: $BEDSIDE_CERT)"
    )
    options.add_argument(
        "--key", type=Path, metavar="FILE", help="its private key (default: $BEDSIDE_KEY, else in the file of --cert)"
    )
    return options


def _metrics() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--metrics",
        type=int,
        metavar="PORT",
        help="serve Prometheus metrics at http://127.0.0.1:PORT/metrics (default: off)",
    )
    return options


def _data() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="folder that holds mitdb/, … (default: $BEDSIDE_DATA)"
    )
    return options


def _settings() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--alarm-config", type=Path, dest="alarms", metavar="FILE", help="TOML with limits, priorities and delays"
    )
    return options


def _weights() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--weights", type=Path, metavar="FILE", help="network weights (default: those in the package)")
    return options


def _ledger() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--ledger", type=Path, metavar="FILE", help="write one CSV line per chunk")
    return options


def _ward() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--beds", type=int, default=64, metavar="N", help="1 to 4096 (default: %(default)s)")
    options.add_argument("--leads", type=int, choices=(1, 2), default=2, help="default: %(default)s")
    options.add_argument(
        "--workers",
        metavar="N",
        help="share the beds among N worker processes, or 'auto': one per processor core (default: one process alone)",
    )
    options.add_argument(
        "--from", dest="sources", metavar="NAMES", help="records and databases on disk (default: four of mitdb)"
    )
    return options
