"""The frame of a page: one file that fetches nothing and runs nothing but its own script."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from .parts import e


def document(title: str, body: str, *, styles: Sequence[str], script: str | None = None, numbers: str = "{}") -> str:
    """The page with its styles and script (files of this room) within, if it has one.

    `numbers` is JSON that the script reads. `body` and `numbers` must be escaped already.
    """
    room = files("gradgan.report")
    style = "".join(room.joinpath(name).read_text("utf-8") for name in styles)
    code = room.joinpath(script).read_text("utf-8") if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    data = f'<script type="application/json" id="numbers">{numbers}</script>'
    scripts = f"{data}\n<script>{code}</script>\n" if script else ""
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
    policy += "form-action 'none'; base-uri 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{e(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"{scripts}</body>\n</html>\n"
    )


def data_uri(picture: Path) -> str:
    """A PNG file as an address that holds it whole."""
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
