"""What a YAML text says beside its content: comments, names of anchors, directives. The content is not read here."""

from collections.abc import Iterator
from typing import Final

import yaml

# Without one of these, nothing but content stands in a text.
_SIGNS: Final = frozenset("#&*%!")
_REMARKS: Final = (yaml.AnchorToken, yaml.AliasToken, yaml.DirectiveToken, yaml.TagToken)
_BLOCK_STYLES: Final = frozenset("|>")


def remarks_in(text: str) -> Iterator[tuple[str, str]]:
    """Give (place, remark) of everything in a YAML text that is no content; comments that follow each other are one.

    Expects a text that `read_documents` accepts.
    """
    if _SIGNS.isdisjoint(text):
        return
    last = 0
    place = _place(0)
    for token in yaml.scan(text, yaml.CSafeLoader):
        start, end = token.start_mark.index, token.end_mark.index
        # Between two tokens stand white space and comments.
        between = text[last:start].strip()
        if between:
            yield place, between
        if isinstance(token, _REMARKS):
            yield _place(token.start_mark.line), text[start:end]
        elif isinstance(token, yaml.ScalarToken) and token.style in _BLOCK_STYLES:
            yield from _remark_of_block(token, text[start:end])
        if end > last:
            last, place = end, _place(token.end_mark.line)


def _remark_of_block(token: yaml.ScalarToken, written: str) -> Iterator[tuple[str, str]]:
    """The first line of a block text is its indicator, and a comment that belongs to the token."""
    _indicator, sign, remark = written.splitlines()[0].partition("#")
    if sign:
        yield _place(token.start_mark.line), remark


def _place(line: int) -> str:
    return f"line {line + 1} (remark)"
