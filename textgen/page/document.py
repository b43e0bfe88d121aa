"""A page that is one file: its styles and scripts stand in it, and its policy allows these alone."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# What could end the element that holds the data, or be shown as something else by what shows the source.
_SPECIAL = re.compile("[<>&\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


END = "</body>\n</html>\n"


def document(title: str, body: str, *, styles: Sequence[str], scripts: Sequence[str], data: Any) -> str:
    """An HTML page that needs no other file.

    Args:
        title: what the browser shows as its name.
        body: the name of the file in this folder with the content of its `<body>`, or with all of it.
        styles: names of CSS files in this folder.
        scripts: names of ES modules in this folder, each after those that it imports.
        data: what the scripts find as JSON in the element `data`.

    Returns:
        The page. Its content security policy allows the given styles and scripts by their hashes and nothing else: no
        address, no `eval`, no script that a text could bring along.
    """
    return beginning(title, body, styles=styles, scripts=scripts, data=data) + END


def beginning(title: str, body: str, *, styles: Sequence[str], scripts: Sequence[str], data: Any) -> str:
    """The same page up to its `END`, so that more data can follow; the scripts run when all is there."""
    style = "\n".join(_content(name) for name in styles)
    script = joined(scripts)
    policy = f"default-src 'none'; style-src {_allowed(style)}; script-src {_allowed(script)}; base-uri 'none'; "
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}form-action \'none\'">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{html.escape(printable(title))}</title>",
            f"<style>{style}</style>",
            f"</head>\n<body>\n{_body(body)}",
            f'<script type="module">{script}</script>',
            f'<script type="application/json" id="data">{as_json(data)}</script>\n',
        )
    )


def as_json(data: Any) -> str:
    """JSON that may stand inside a `<script>`; whatever its texts hold, they do not end it, and show no controls."""
    return _SPECIAL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(data, ensure_ascii=False, allow_nan=False))


def printable(text: str) -> str:
    """A text with a replacement character for each that cannot be seen, or changes the direction of writing."""
    return "".join(symbol if symbol.isprintable() else "\N{REPLACEMENT CHARACTER}" for symbol in text)


def with_imports(name: str) -> list[str]:
    """An ES module and all that it imports, each after those that it imports itself."""
    found: dict[str, None] = {}

    def visit(module: str) -> None:
        for imported in re.findall(r'^import .*"\./(.+)";$', _content(module), flags=re.MULTILINE):
            if imported not in found:
                visit(imported)
        found[module] = None

    visit(name)
    return list(found)


def joined(names: Sequence[str]) -> str:
    """ES modules as one; what they import from each other is in the same scope then."""
    return "\n".join(re.sub(r"^import .*\n", "", _content(name), flags=re.MULTILINE) for name in names)


def _body(name: str) -> str:
    """The content of a page's `<body>`, without what is for a served page alone."""
    content = _content(name)
    inner = re.search("<body>\n(.*)\n</body>", content, flags=re.DOTALL)
    return re.sub(" *<!-- served -->.*?<!-- /served -->\n", "", inner[1] if inner else content, flags=re.DOTALL)


def _content(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _allowed(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
