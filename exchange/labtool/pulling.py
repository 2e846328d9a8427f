"""Pull a collection into a folder: every object verified against its producer's key chain and our pins.

What verifies stands in `objects/`, what does not only in `quarantine/`. A page counts as read when everything
of it is on disk; a pull that was killed goes on from there. Identities, which carry the key chains, come
first. Nobody's word about dates is taken: an object is first seen when it first came here.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from exchange.labtool.budget import Budget, BudgetSpentError
from exchange.labtool.errors import RefusedError
from exchange.labtool.feed import DEFAULT_PAGE_OBJECTS, Feed, Page
from exchange.labtool.judging import Keyring, Verdict, is_identity_with_keys
from exchange.labtool.pins import Pins
from exchange.labtool.placing import Placing
from exchange.labtool.shelf import Shelf, read_object_file
from exchange.stix.errors import shown
from exchange.stix.identifiers import is_identifier

IDENTITIES: Final = "identities"
# The node no longer knows the place where we stopped (sharing-policy rule 5).
_PLACE_REFUSED: Final = frozenset({400, 410})


@dataclass(slots=True)
class PullReport:
    """What a pull did, in numbers of object versions.

    received: sent by the node. verified: of those, signed by a pinned producer, or known by body. stored: new
    in `objects/`. quarantined: in `quarantine/` when the pull ended, from this pull or an earlier one.
    released: left quarantine. withdrawn: moved aside. restored: moved back. labs: verified, by pinned name.
    reasons: why objects went to quarantine in this pull, by object id. stopped: why the pull ended before the end
    of the collection, "" if it did not.
    """

    collection: str
    received: int = 0
    verified: int = 0
    stored: int = 0
    quarantined: int = 0
    released: int = 0
    withdrawn: int = 0
    restored: int = 0
    labs: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing that fails lies in the folder."""
        return self.quarantined == 0

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        return asdict(self)


def utc_now() -> datetime:
    """The time of this machine, aware."""
    return datetime.now(UTC)


def pull(
    feed: Feed,
    directory: Path,
    pins: Pins,
    *,
    collection: str,
    from_start: bool = False,
    page_objects: int = DEFAULT_PAGE_OBJECTS,
    budget: Budget | None = None,
    clock: Callable[[], datetime] = utc_now,
    on_page: Callable[[PullReport], None] = lambda _report: None,
) -> PullReport:
    """Bring `directory` up to date with a collection (alias or id) and answer with what happened.

    from_start: read the collection anew; what is on disk stays. budget: what this run may take; when it is spent,
    the report says so and the next run goes on. on_page: called after each page is on disk.

    Raises: UnreachableError, RefusedError; DataError for a folder that cannot be used. All pages before stay.
    """
    with Shelf(directory, feed.address.origin) as shelf:
        if from_start:
            shelf.state.places.clear()
        return _Pull(feed, shelf, pins, collection, page_objects, budget or Budget(), clock, on_page).run()


class _Pull:
    """One run over one folder."""

    def __init__(
        self,
        feed: Feed,
        shelf: Shelf,
        pins: Pins,
        collection: str,
        page_objects: int,
        budget: Budget,
        clock: Callable[[], datetime],
        on_page: Callable[[PullReport], None],
    ) -> None:
        self._feed = feed
        self._shelf = shelf
        self._collection = collection
        self._page_objects = page_objects
        self._budget = budget
        self._clock = clock
        self._on_page = on_page
        self._keyring = Keyring(pins)
        self._asked: set[str] = set()
        self._report = PullReport(collection)
        self._placing = Placing(shelf, self._report)

    def run(self) -> PullReport:
        self._recall_identities()
        try:
            self._pull_everything()
        except BudgetSpentError as error:
            self._report.stopped = str(error)
        self._reconsider()
        self._shelf.save_state()
        self._report.quarantined = len(self._shelf.quarantined())
        return self._report

    def _pull_everything(self) -> None:
        self._pull_identities()
        if self._collection == IDENTITIES:
            return
        self._reconsider()
        self._pull_pages(self._collection, all_versions=False)
        if self._report.reasons:
            # A lab may have joined, or changed keys, since the identities were read.
            self._pull_identities()

    def _recall_identities(self) -> None:
        """Key chains of earlier pulls; those in quarantine may follow from pins set since."""
        now = self._clock()
        paths = [*self._shelf.stored_identities(), *self._shelf.quarantined()]
        known = ((raw, self._shelf.first_seen(raw, now)) for raw in map(read_object_file, paths))
        self._keyring.learn((item for item in known if is_identity_with_keys(item[0])), now=now)

    def _pull_identities(self) -> None:
        try:
            self._pull_pages(IDENTITIES, all_versions=True)
        except RefusedError as error:
            if error.status == 400:
                # Not every node serves old versions by TAXII; `_learn_history` finds another way.
                self._pull_pages(IDENTITIES, all_versions=False)
            elif error.status != 404 or self._collection == IDENTITIES:
                # A plain TAXII server has no such collection: then all depends on what is known already.
                raise

    def _pull_pages(self, collection: str, *, all_versions: bool) -> None:
        place = self._shelf.state.places.get(collection)
        pages = self._feed.pages(
            collection, added_after=place, all_versions=all_versions, page_objects=self._page_objects
        )
        try:
            for page in pages:
                self._take_page(page, collection)
        except RefusedError as error:
            if place is not None and not all_versions and error.status in _PLACE_REFUSED:
                raise RefusedError(f"{error}; --from-start reads {shown(collection)} anew", error.status) from None
            raise

    def _take_page(self, page: Page, collection: str) -> None:
        now = self._clock()
        self._shelf.note_first_seen(page.objects, now)
        for raw in page.objects:
            verdict = self._judge(raw, now)
            if not verdict.is_ok and is_identity_with_keys(raw) and self._learn_history(str(verdict.id), now):
                verdict = self._judge(raw, now)
            self._report.received += 1
            if verdict.is_ok:
                self._report.verified += 1
                name = verdict.lab or "fixed"
                self._report.labs[name] = self._report.labs.get(name, 0) + 1
            self._placing.place(verdict)
        self._placing.finish(collection, now)
        if page.date_added_last is not None:
            self._shelf.state.places[collection] = page.date_added_last
            self._shelf.save_state()
        self._on_page(self._report)
        # Only here, where the page counts as read: the next run must not begin with the same page for ever.
        self._budget.spend(page.objects)
        self._budget.check()

    def _learn_history(self, identity: str, now: datetime) -> bool:
        """Fetch the versions between what we know of an identity and its newest, once; whether there are any."""
        if identity in self._asked or not is_identifier(identity) or self._budget.is_spent:
            return False
        self._asked.add(identity)
        versions = self._feed.history(identity)
        self._shelf.note_first_seen(versions, now)
        self._keyring.learn(((raw, self._shelf.first_seen(raw, now)) for raw in versions), now=now)
        for raw in versions:
            verdict = self._judge(raw, now)
            if verdict.is_ok:
                self._placing.place(verdict)
        self._budget.spend(versions)
        return bool(versions)

    def _judge(self, raw: bytes, now: datetime) -> Verdict:
        return self._keyring.judge(raw, now=now, first_seen=self._shelf.first_seen(raw, now))

    def _reconsider(self) -> None:
        """Judge again what new keys, new pins or the end of a key may have changed."""
        now = self._clock()
        key_states = self._keyring.key_states()
        before = self._shelf.state.key_states
        if any(key_states.get(kid) != state for kid, state in before.items()):
            self._reconsider_stored(now)
        self._reconsider_quarantined(now)
        self._shelf.state.key_states = key_states

    def _reconsider_stored(self, now: datetime) -> None:
        is_settled = False
        while not is_settled:
            is_settled = True
            for path in self._shelf.stored():
                verdict = self._judge(read_object_file(path), now)
                if not verdict.is_ok:
                    # A void revocation brings back what it had moved aside, to be judged in the next round.
                    self._placing.displace(path, verdict)
                    is_settled = False
            self._placing.finish(self._collection, now)

    def _reconsider_quarantined(self, now: datetime) -> None:
        for path in self._shelf.quarantined():
            verdict = self._judge(read_object_file(path), now)
            if verdict.is_ok and self._placing.place(verdict):
                self._placing.finish(self._collection, now)
                self._shelf.release(path)
                self._report.released += 1
                self._report.reasons.pop(str(verdict.id), None)
        self._placing.finish(self._collection, now)
