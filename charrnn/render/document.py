"""The frame of a self-contained HTML page: it needs no network, and runs no code but its own.

A content security policy allows the page's own style and script by their hashes, and nothing else
at all. Data stand in elements of their own, from which nothing in them can escape.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from charrnn.render.palettes import color, ink

SHADES = 20
"""Of a colour, to either side of the middle; `text_view.js` has the same number."""


def document(
    *,
    title: str,
    style: str,
    body: Iterable[str],
    data: Iterable[tuple[str, str, str]],
    script: str,
    script_sources: str = "",
    policy: str = "",
) -> str:
    """The whole page. `data` are elements that hold data: identifier, media type and content.

    The last two are added to the content security policy: to what may run, such as
    " 'wasm-unsafe-eval'", and to the whole, such as "worker-src blob:; ".
    """
    script = '"use strict";\n' + script
    allowed = (
        "default-src 'none'; "
        f"style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'{script_sources}; "
        f"{policy}base-uri 'none'; form-action 'none'"
    )
    head = (
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{text(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
    )
    of_data = (f'<script type="{kind}" id="{name}">{held}</script>' for name, kind, held in data)
    end = (f"<script>{script}</script>", "</body>", "</html>", "")
    return "\n".join((*head, *body, *of_data, *end))


def part(name: str, folder: str = "charrnn.render") -> str:
    """The content of a style sheet or script of the package."""
    return (files(folder) / name).read_text(encoding="utf-8")


def text(content: str) -> str:
    """Text as HTML shows it, without what UTF-8 does not have."""
    return escape(content.encode("utf-8", "replace").decode("utf-8"))


def embedded_json(data: dict[str, Any]) -> str:
    """JSON of plain ASCII in which nothing opens or ends an element or a comment."""
    content = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return content.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def base64_of(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def shade_class(shade: int) -> str:
    return f"v{shade}" if shade >= 0 else f"vm{-shade}"


def legend() -> str:
    """The colours from −1 to 1."""
    return "".join(f'<i class="{shade_class(q)}"></i>' for q in range(-SHADES, SHADES + 1, 5))


def shade_rules(palette: str) -> str:
    """The style rules for the colours of all shades, light and dark."""
    return "\n".join(_shade_rules(palette)) + "\n"


def _shade_rules(palette: str) -> Iterator[str]:
    dark = ':root:not([data-theme="light"])'
    light_rules: list[tuple[str, str, str]] = []
    dark_rules: list[tuple[str, str, str]] = []
    for q in range(-SHADES, SHADES + 1):
        for rules, is_dark in ((light_rules, False), (dark_rules, True)):
            ground = color(q / SHADES, palette, dark=is_dark)
            rules.append((shade_class(q), _hex(ground), _hex(ink(ground))))
    yield from (f".{name}{{background:{ground};color:{on}}}" for name, ground, on in light_rules)
    yield "@media (prefers-color-scheme: dark) {"
    yield from (f"{dark} .{name}{{background:{g};color:{on}}}" for name, g, on in dark_rules)
    yield "}"
    chosen = ':root[data-theme="dark"]'
    yield from (f"{chosen} .{name}{{background:{g};color:{on}}}" for name, g, on in dark_rules)


def _hex(ground: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*ground)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
