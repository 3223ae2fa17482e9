"""What every prompted stage does to a document's text: cut it to size, and find a quotation in it again."""

from __future__ import annotations

from webscale_rl.prompt import defuse


def excerpt(text: str, limit: int) -> str:
    """The text, or its first `limit` characters at most, cut after a paragraph, else a sentence, else a word."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    for mark in ("\n\n", "\n", ". ", " "):
        at = head.rfind(mark)
        if at > limit // 2:
            return head[: at + len(mark)].rstrip()
    return head


def quoted_in(quotation: str, text: str) -> bool:
    """Whether the quotation stands in the text, up to white space and what quoting changes in a prompt."""
    wanted = "".join(defuse(quotation).split())
    return bool(wanted) and wanted in "".join(defuse(text).split())
