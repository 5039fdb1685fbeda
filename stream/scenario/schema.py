"""The JSON schema of scenario files, for editors that check TOML; ``python -m stream.scenario.schema`` prints it."""

from __future__ import annotations

import json

import msgspec

from stream.scenario.scenario import Scenario


def schema() -> str:
    """Return the schema as JSON."""
    return json.dumps(msgspec.json.schema(Scenario), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
