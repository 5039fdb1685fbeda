"""Text from the wire as plain text, for terminals, logs and files.

Texts in messages may contain any character. Where they leave bedside as text, control characters and those that change
the direction of what follows are written as escapes: a name moves no cursor, sets no window title, ends no line, and
hides nothing.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
"""C0 and C1 controls, invisible and directional characters, line and paragraph separators, lone surrogates."""


def plain(text: str) -> str:
    """Return the text with control characters as ``\\u001b``; such an escape is valid in JSON, too."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
