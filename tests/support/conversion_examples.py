"""The shortest Sigma text that uses each construct, so that every cell of the capability table can be tried."""

from signatures.conversion.constructs import Construct

_HEAD = "title: T\nlogsource: {category: llm_api, product: llm_gateway}\ndetection:\n"
_A = "title: A\nname: a\nlogsource: {category: llm_api}\ndetection: {s: {user.id|exists: true}, condition: s}\n---\n"
_B = "title: B\nname: b\nlogsource: {category: llm_account}\ndetection: {s: {llmx.org.id: o1}, condition: s}\n---\n"
_C = "title: C\nname: c\nlogsource: {category: llm_api}\ndetection: {s: {llmx.org.id: o2}, condition: s}\n---\n"
_INNER = (
    "title: I\nname: i\ncorrelation: {type: event_count, rules: [a], group-by: [user.id], timespan: 1h, "
    "condition: {gte: 5}}\n---\n"
)


def _selection(item: str, condition: str = "s") -> str:
    return f"{_HEAD}  s: {{{item}}}\n  condition: {condition}\n"


def _correlation(body: str, before: str = _A + _B) -> str:
    return f"{before}title: T\ncorrelation: {{{body}, group-by: [user.id], timespan: 1h}}\n"


def _counted(kind: str, condition: str) -> str:
    return _correlation(f"type: {kind}, rules: [a], condition: {{{condition}}}", _A)


EXAMPLES: dict[Construct, str] = {
    Construct.TEXT: _selection("user.id: u1"),
    Construct.TEXT_BEYOND_ASCII: _selection("user.id: Übung"),
    Construct.EMPTY: _selection("user.id: ''"),
    Construct.WILDCARD_MANY: _selection("user.id: 'u*1'"),
    Construct.WILDCARD_ONE: _selection("user.id: 'u?1'"),
    Construct.LITERAL_WILDCARD: _selection("user.id: 'u\\*1'"),
    Construct.BACKTICK: _selection("user.id: 'u`1'"),
    Construct.CASED: _selection("user.id|cased: U1"),
    Construct.NUMBER: _selection("gen_ai.usage.output_tokens: 5"),
    Construct.BOOLEAN: _selection("llmx.request.batch: true"),
    Construct.COMPARISON: _selection("gen_ai.usage.output_tokens|gte: 5"),
    Construct.NULL: _selection("user.id: null"),
    Construct.EXISTS: _selection("user.id|exists: false"),
    Construct.NOT: _selection("user.id: u1", "not s"),
    Construct.REGEX: _selection("user.id|re: 'u[0-9]+'"),
    Construct.REGEX_FLAGS: _selection("user.id|re|i: 'u[0-9]+'"),
    Construct.REGEX_BEYOND: _selection("user.id|re: 'u(?=1)'"),
    Construct.CIDR_4: _selection("client.address|cidr: 10.0.0.0/8"),
    Construct.CIDR_6: _selection("client.address|cidr: '2001:db8::/32'"),
    Construct.FIELDREF: _selection("user.id|fieldref: enduser.pseudo.id"),
    Construct.FIELDREF_PART: _selection("user.id|fieldref|startswith: enduser.pseudo.id"),
    Construct.TIME_PART: _selection("timestamp|hour: 5"),
    Construct.PLACEHOLDER: _selection("user.id|expand: '%ours%'"),
    Construct.KEYWORD: f"{_HEAD}  s: [anywhere]\n  condition: s\n",
    Construct.CONTROL_CHARACTER: _selection('user.id: "u\\e[2J"'),
    Construct.FIELD_NAME: _selection('"user\'; DROP TABLE x; --": u1'),
    Construct.LOG_SOURCE: _selection("user.id: u1").replace("llm_api", "process_creation"),
    Construct.SERVICE: _selection("user.id: u1").replace("llm_api,", "llm_api, service: auth,"),
    Construct.FILTER: (
        _A + "title: F\nlogsource: {category: llm_api}\nfilter: {rules: [a], s: {user.id: u1}, condition: not s}\n"
    ),
    Construct.EVENT_COUNT: _counted("event_count", "gte: 5"),
    Construct.VALUE_COUNT: _counted("value_count", "field: llmx.org.id, gte: 5"),
    Construct.VALUE_SUM: _counted("value_sum", "field: gen_ai.usage.output_tokens, gte: 5"),
    Construct.VALUE_AVG: _counted("value_avg", "field: gen_ai.usage.output_tokens, gte: 5"),
    Construct.VALUE_PERCENTILE: _counted(
        "value_percentile", "field: gen_ai.usage.output_tokens, percentile: 9, gte: 5"
    ),
    Construct.TEMPORAL: _correlation("type: temporal, rules: [a, b]"),
    Construct.TEMPORAL_CONDITION: _correlation("type: temporal, rules: [a, b], condition: a or b"),
    Construct.TEMPORAL_NOT: _correlation("type: temporal, rules: [a, b], condition: a and not b"),
    Construct.ORDERED: _correlation("type: temporal_ordered, rules: [a, b]"),
    Construct.ORDERED_LONG: _correlation("type: temporal_ordered, rules: [a, b, c]", _A + _B + _C),
    Construct.ORDERED_CONDITION: _correlation("type: temporal_ordered, rules: [a, b], condition: a and b"),
    Construct.COUNT_BELOW: _counted("event_count", "lt: 5"),
    Construct.SEVERAL_RULES: _correlation("type: event_count, rules: [a, b], condition: {gte: 5}"),
    Construct.ALIASES: _correlation(
        "type: temporal_ordered, rules: [a, b], aliases: {user.id: {a: user.id, b: llmx.org.id}}"
    ),
    Construct.CHAINED: _correlation("type: temporal, rules: [i, b]", _A + _B + _INNER),
    Construct.CHAINED_FIELD: _correlation("type: temporal, rules: [i, b]", _A + _B + _INNER).replace(
        "[user.id], timespan: 1h}", "[llmx.org.id], timespan: 1h}"
    ),
    Construct.GENERATE: _correlation("type: event_count, rules: [a], generate: true, condition: {gte: 5}", _A),
}
