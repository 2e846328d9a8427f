"""From a YAML text to plain documents, strictly, each value with its line and column.

Bounded before anything is built: bytes, documents, nodes with aliases expanded, depth. Refuses duplicate keys, keys
that are no text, explicit tags and numbers without a JSON form. It does not know what a Sigma rule is.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from exchange.stix.errors import ObjectInvalidError, shown
from signatures.sigma.limits import MAX_DOCUMENTS, MAX_NODES, MAX_TEXT_BYTES, MAX_YAML_DEPTH

Path = Sequence[str | int]
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_TEXT_TAG: Final = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document of a text: its value as dict, list and scalars, and the tree that knows the positions.

    number: from 1.
    """

    number: int
    value: Any
    node: yaml.Node

    def place(self, path: Path = ()) -> str:
        """Return "line 3, column 5" of a path, or of the deepest part of it that exists."""
        node = self.node
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            node = child
        return _place(node.start_mark)

    def texts(self) -> Iterator[tuple[Path, str, bool, str]]:
        """Give (path, text, whether it is a key, place) of every text and key, aliases written out."""
        stack: list[tuple[tuple[str | int, ...], yaml.Node]] = [((), self.node)]
        while stack:
            path, node = stack.pop()
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    inner = (*path, key.value)
                    yield inner, key.value, True, _place(key.start_mark)
                    stack.append((inner, value))
            elif isinstance(node, yaml.SequenceNode):
                stack.extend(((*path, position), item) for position, item in enumerate(node.value))
            elif node.tag == _TEXT_TAG:
                yield path, node.value, False, _place(node.start_mark)

    def fault(self, code: str, message: str, path: Path = ()) -> ObjectInvalidError:
        """Return the error that names this document and the position of `path`."""
        return ObjectInvalidError(code, f"Document {self.number}, {self.place(path)}: {message}")


def read_documents(text: str) -> tuple[YamlDocument, ...]:
    """Parse all non-empty documents of a YAML text.

    Raises: ObjectInvalidError with the line and column in its message.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise ObjectInvalidError("yaml-too-large", f"The text has more than {MAX_TEXT_BYTES} bytes.")
    try:
        has_aliases = _scan(text)
        read = [_document(number, node, has_aliases=has_aliases) for number, node in enumerate(_compose(text), start=1)]
    except yaml.MarkedYAMLError as error:
        raise ObjectInvalidError("yaml-syntax", _syntax_message(error)) from None
    except (yaml.YAMLError, UnicodeError):
        raise ObjectInvalidError("yaml-syntax", "The text holds characters that YAML forbids.") from None
    # A trailing `---` makes an empty document, which says nothing.
    documents = tuple(document for document in read if document.value is not None)
    if not documents:
        raise ObjectInvalidError("yaml-empty", "The text holds no document.")
    return documents


def _compose(text: str) -> list[yaml.Node]:
    return list(yaml.compose_all(text, yaml.CSafeLoader))


def _scan(text: str) -> bool:
    """Walk the parser's events, which costs no memory, before any tree is built; whether there are aliases."""
    depth = documents = nodes = 0
    has_aliases = False
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            has_aliases = has_aliases or isinstance(event, yaml.AliasEvent)
            if getattr(event, "tag", None) is not None:
                raise _fault("yaml-tag", "explicit YAML tags have no place in a Sigma rule.", event.start_mark)
        if depth > MAX_YAML_DEPTH:
            raise _fault("yaml-too-deep", f"more than {MAX_YAML_DEPTH} levels.", event.start_mark)
        if nodes > MAX_NODES or documents > MAX_DOCUMENTS:
            raise _fault("yaml-too-many-nodes", "more nodes or documents than a rule has.", event.start_mark)
    return has_aliases


def _document(number: int, node: yaml.Node, *, has_aliases: bool) -> YamlDocument:
    if has_aliases:
        # Without them the scan has counted all there is.
        _count_expanded(node, {}, set())
    _check_keys(node)
    return YamlDocument(number, _construct(node), node)


def _count_expanded(node: yaml.Node, known: dict[int, int], open_nodes: set[int]) -> int:
    """Count nodes as if every alias were written out; a small text can stand for a huge tree."""
    if id(node) in known:
        return known[id(node)]
    if id(node) in open_nodes:
        raise _fault("yaml-alias", "an alias refers to what contains it.", node.start_mark)
    open_nodes.add(id(node))
    total = 1 + sum(_count_expanded(child, known, open_nodes) for child in _children(node))
    open_nodes.discard(id(node))
    if total > MAX_NODES:
        raise _fault("yaml-alias", "aliases expand to more nodes than a rule has.", node.start_mark)
    known[id(node)] = total
    return total


def _check_keys(root: yaml.Node) -> None:
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _check_mapping_keys(node)
        stack.extend(_children(node))


def _check_mapping_keys(node: yaml.MappingNode) -> None:
    names: set[str] = set()
    for key, _value in node.value:
        if key.tag == _MERGE_TAG:
            raise _fault("yaml-merge", "merge keys hide what a rule says.", key.start_mark)
        if key.tag != _TEXT_TAG:
            raise _fault("yaml-key", "a key must be a text; put it in quotes.", key.start_mark)
        if key.value in names:
            raise _fault("yaml-duplicate-key", f"the key {shown(key.value)} occurs twice.", key.start_mark)
        names.add(key.value)


def _construct(node: yaml.Node) -> Any:
    try:
        value = _plain(node, yaml.constructor.SafeConstructor())
    except RecursionError:
        raise _fault("yaml-too-deep", "aliases nest deeper than a rule does.", node.start_mark) from None
    except yaml.MarkedYAMLError:
        raise
    except (ValueError, OverflowError, TypeError, IndexError):
        # A date such as 2026-13-45 or a number of five thousand digits: the library does not say where.
        raise ObjectInvalidError(
            "yaml-value", f"{_place(node.start_mark)} or below: a date or number without a value."
        ) from None
    _check_numbers(value, node)
    return value


def _plain(node: yaml.Node, constructor: yaml.constructor.SafeConstructor) -> Any:
    """The value of a tree whose keys are texts and which is not too deep; scalars but texts are the library's."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value, constructor) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, constructor) for item in node.value]
    return node.value if node.tag == _TEXT_TAG else constructor.construct_object(node, deep=True)


def _check_numbers(value: Any, node: yaml.Node) -> None:
    stack, seen = [value], set()
    while stack:
        item = stack.pop()
        if isinstance(item, float) and not math.isfinite(item):
            raise _fault("yaml-value", "NaN and infinity are no values of a rule.", node.start_mark)
        if isinstance(item, dict | list) and id(item) not in seen:
            seen.add(id(item))
            stack.extend(item.values() if isinstance(item, dict) else item)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: yaml.Node = node.value[step]
        return item
    return None


def _fault(code: str, message: str, mark: Any) -> ObjectInvalidError:
    return ObjectInvalidError(code, f"{_place(mark)}: {message}")


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    problem = shown(error.problem or "the text is not YAML").removeprefix("'").removesuffix("'")
    return f"{_place(mark)}: {problem}." if mark is not None else f"{problem}."
