"""What every report's page is made of: one self-contained document, its facts and its pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files


def document(title: str, parts: Iterable[str]) -> str:
    """A page with its style inside: no script, no font, no picture from elsewhere.

    Args:
        title: of the page, not yet escaped.
        parts: of its body, escaped; empty ones are left out.

    Example:
        >>> page = document("A & B", ["<p>5 %</p>", ""])
        >>> page.startswith("<!doctype html>"), "<title>A &amp; B</title>" in page
        (True, True)
    """
    style = files("thence.evaluate").joinpath("page.css").read_text(encoding="utf-8")
    content = re.sub(r"(\d) %", "\\1\u00a0%", "\n".join(part for part in parts if part))
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body><main>{content}</main></body></html>\n"
    )


def facts(named: Mapping[str, str]) -> str:
    """Names and values above a report; an empty string for none.

    Example:
        >>> facts({"seeds": "5"})
        "<dl class='facts'><div><dt>seeds</dt><dd>5</dd></div></dl>"
    """
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in named.items()
    )
    return f"<dl class='facts'>{items}</dl>" if items else ""


def picture(svg: str, caption: str) -> str:
    """A picture with what it shows below; an empty string for none.

    Example:
        >>> picture("", "nothing"), picture("<svg/>", "a < b")
        ('', '<figure><svg/><figcaption>a &lt; b</figcaption></figure>')
    """
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>" if svg else ""
