"""Correlations in SQL with window functions: sliding windows, chained correlations, temporal order.

Shared by dialects that have common table expressions and `RANGE` frames. A dialect says how time is written.
In the `WITH` clause `e` are the events, `w` their windows, `s` steps of an order, `c` what a correlation answers.
"""

from abc import abstractmethod
from dataclasses import dataclass, field

from sigma.correlations import SigmaCorrelationRule, SigmaCorrelationType

from signatures.conversion.backends.exact import ExactBackend
from signatures.conversion.plans import Plan, Source, plan_of, presence_logic


@dataclass(slots=True)
class _Query:
    """Common table expressions in their order; correlations: how many have begun; known: the answer of each rule."""

    tables: list[str] = field(default_factory=list)
    correlations: int = 0
    known: dict[int, str] = field(default_factory=dict)

    def add(self, name: str, select: str) -> str:
        self.tables.append(f"{name} AS (\n{select}\n)")
        return name


class SqlCorrelations(ExactBackend):
    """What a dialect has to say stands first."""

    @abstractmethod
    def quoted_table(self) -> str:
        """The table, quoted."""

    @abstractmethod
    def time(self) -> str:
        """The time of an event, as something that `frame` can reach back from."""

    @abstractmethod
    def span(self, seconds: int) -> str:
        """A span of time to subtract from what `time` gives."""

    @abstractmethod
    def instant(self) -> str:
        """The smallest span of time."""

    def shown_time(self, expression: str) -> str:
        """A time for people."""
        return expression

    @abstractmethod
    def number(self, column: str) -> str:
        """A column as a number, NULL if it is none."""

    @abstractmethod
    def distinct_values(self, table: str, keys: tuple[str, ...], seconds: int) -> str:
        """How many different values of `v` there are in the window that ends at a row of `table`, called `a`."""

    def correlate(self, plan: Plan) -> str:
        """One row for each group and window."""
        query = _Query()
        result = self._compile(plan, query)
        names = [self._name(key) for key in plan.keys]
        groups = "".join(f"k{position} AS {name}, " for position, name in enumerate(names))
        start = self.shown_time(f"ts - {self.span(plan.span_s)}")
        order = ", ".join(["ts", *(f"k{position}" for position in range(len(names)))])
        return (
            "WITH\n" + ",\n".join(query.tables) + f"\nSELECT {groups}{start} AS window_start, "
            f"{self.shown_time('ts')} AS window_end, value\nFROM {result} ORDER BY {order}"
        )

    def _name(self, key: str) -> str:
        return f"`{key}`"

    def _compile(self, plan: Plan, query: _Query) -> str:
        number, query.correlations = query.correlations, query.correlations + 1
        keys = tuple(f"k{position}" for position in range(len(plan.keys)))
        events = query.add(f"e{number}", self._events(plan, keys, query))
        if plan.kind is SigmaCorrelationType.TEMPORAL_ORDERED:
            return self._ordered(plan, keys, query, number, events)
        columns = ", ".join(["ts", *keys])
        measured = query.add(f"w{number}", self._windows(plan, keys, events))
        condition = self._condition(plan)
        return query.add(f"c{number}", f"  SELECT DISTINCT {columns}, value FROM {measured} WHERE {condition}")

    # Events.

    def _events(self, plan: Plan, keys: tuple[str, ...], query: _Query) -> str:
        simple = [source for source in plan.sources if not isinstance(source.rule, SigmaCorrelationRule)]
        if plan.is_temporal or len(simple) < len(plan.sources):
            selects = [self._source(source, keys, position, query) for position, source in enumerate(plan.sources)]
            return "\n  UNION ALL\n".join(selects)
        # An event that several rules match counts once.
        predicate = " OR ".join(f"({source.predicate})" for source in simple)
        return self._select(
            self.quoted_table(), simple[0], keys, 0, predicate if len(simple) > 1 else simple[0].predicate
        )

    def _source(self, source: Source, keys: tuple[str, ...], position: int, query: _Query) -> str:
        if not isinstance(source.rule, SigmaCorrelationRule):
            return self._select(self.quoted_table(), source, keys, position, source.predicate)
        inner = plan_of(source.rule)
        if id(source.rule) not in query.known:
            # Once for each rule: correlations that share what they refer to would double it at every level.
            query.known[id(source.rule)] = self._compile(inner, query)
        result = query.known[id(source.rule)]
        carried = {name: f"k{place}" for place, name in enumerate(inner.keys)}
        chosen = "".join(f", {carried[name]} AS {key}" for name, key in zip(source.keys, keys, strict=True))
        value = carried[source.value] if source.value is not None else "NULL"
        return f"  SELECT ts{chosen}, {value} AS v, {position} AS rule FROM {result}"

    def _select(self, table: str, source: Source, keys: tuple[str, ...], position: int, predicate: str) -> str:
        columns = [self.escape_and_quote_field(name) for name in source.keys]
        chosen = "".join(f", {column} AS {key}" for column, key in zip(columns, keys, strict=True))
        value = self.escape_and_quote_field(source.value) if source.value is not None else "NULL"
        present = "".join(f" AND {column} IS NOT NULL" for column in columns)
        time = self.time()
        return (
            f"  SELECT {time} AS ts{chosen}, {value} AS v, {position} AS rule FROM {table}\n"
            f"  WHERE ({predicate}) AND {time} IS NOT NULL{present}"
        )

    # Windows.

    def _windows(self, plan: Plan, keys: tuple[str, ...], events: str) -> str:
        columns = ", ".join(["ts", *keys])
        if plan.kind is SigmaCorrelationType.VALUE_COUNT:
            value = self.distinct_values(events, keys, plan.span_s)
            return f"  SELECT {columns}, {value} AS value FROM {events} AS a"
        frame = self._frame(keys, f"RANGE BETWEEN {self.span(plan.span_s)} PRECEDING AND CURRENT ROW")
        if plan.is_temporal:
            present = [self._present(position, frame) for position in range(len(plan.sources))]
            flags = "".join(f", {flag} AS p{position}" for position, flag in enumerate(present))
            return f"  SELECT {columns}{flags}, {' + '.join(present)} AS value FROM {events}"
        aggregate = {
            SigmaCorrelationType.EVENT_COUNT: "COUNT(*)",
            SigmaCorrelationType.VALUE_SUM: f"SUM({self.number('v')})",
            SigmaCorrelationType.VALUE_AVG: f"AVG({self.number('v')})",
        }[plan.kind]
        return f"  SELECT {columns}, {aggregate} OVER ({frame}) AS value FROM {events}"

    def _present(self, position: int, frame: str) -> str:
        return f"MAX(CASE WHEN rule = {position} THEN 1 ELSE 0 END) OVER ({frame})"

    def _frame(self, keys: tuple[str, ...], frame: str) -> str:
        partition = f"PARTITION BY {', '.join(keys)} " if keys else ""
        return f"{partition}ORDER BY ts {frame}"

    def _condition(self, plan: Plan) -> str:
        if plan.logic is None:
            return f"value {plan.operator} {plan.threshold}"
        present = [f"p{position} = 1" for position in range(len(plan.sources))]
        return presence_logic(plan.logic, plan, present, "AND", "OR")

    def _ordered(self, plan: Plan, keys: tuple[str, ...], query: _Query, number: int, events: str) -> str:
        """Each step carries the latest start from which the rules so far followed one another."""
        columns = ", ".join(["ts", *keys, "rule"])
        frame = self._frame(keys, f"RANGE BETWEEN UNBOUNDED PRECEDING AND {self.instant()} PRECEDING")
        table, start = events, "ts"
        for position in range(len(plan.sources) - 1):
            latest = f"MAX(CASE WHEN rule = {position} THEN {start} END) OVER ({frame})"
            table = query.add(f"s{number}_{position}", f"  SELECT {columns}, {latest} AS begun FROM {table}")
            start = "begun"
        groups = ", ".join(["ts", *keys])
        last = len(plan.sources) - 1
        condition = f"rule = {last} AND {start} >= ts - {self.span(plan.span_s)}"
        select = f"  SELECT DISTINCT {groups}, {last + 1} AS value FROM {table} WHERE {condition}"
        return query.add(f"c{number}", select)
