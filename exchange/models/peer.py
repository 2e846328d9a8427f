"""Peers: other exchanges and plain TAXII feeds, what is exchanged with them, and what of theirs waits for a person."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from exchange.models.collection import Collection
from exchange.models.lab import Lab
from exchange.models.person import Person

DEFAULT_INTERVAL_S = 60


class Peer(models.Model):
    """A TAXII 2.1 server that this node exchanges objects with.

    `lab` is its row among the signers: another exchange has its node identity and pinned root there, signs withdrawals
    with it, and its tokens and grants say what it may pull. A plain feed has a row of its own kind, which stands as the
    producer of what it sends unsigned. `community`: it serves the same members as this node, so GREEN may cross.
    """

    class Credentials(models.TextChoices):
        NONE = "none"
        BASIC = "basic"
        BEARER = "bearer"
        CERTIFICATE = "certificate"

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    id = models.AutoField(primary_key=True)
    lab = models.OneToOneField(Lab, on_delete=models.PROTECT, related_name="peer")
    url = models.CharField(max_length=2000, help_text="of its API root")
    credentials = models.CharField(max_length=12, choices=Credentials, default=Credentials.NONE)
    sealed = models.BinaryField(null=True, blank=True, help_text="the secrets behind the credentials, sealed")
    authorities = models.TextField(blank=True, help_text="PEM of the CAs behind its certificate; empty: system")
    pinned_certificate = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its certificate, in hex")
    community = models.BooleanField(default=False, help_text="of the same community: GREEN may cross")
    accepts_unsigned = models.BooleanField(default=False, help_text="take what nobody signed, shown as vouched by it")
    default_label = models.SmallIntegerField(default=2, help_text="of what it sends unmarked; 2 is AMBER")
    highest_label = models.SmallIntegerField(default=1, help_text="the strictest that is sent to it; 1 is GREEN")
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()

    told_seq = models.BigIntegerField(default=0, help_text="an exchange was told of what is new for it up to here")
    tell_failures = models.PositiveIntegerField(default=0, help_text="in a row")
    tell_after = models.DateTimeField(db_default=Now(), help_text="it is told nothing before")

    class Meta:
        db_table = "peer"

    def __str__(self) -> str:
        return self.lab.slug


class PeerChannel(models.Model):
    """One collection of a peer and one of this node, in one direction, and how far it has come.

    pull: `added_after` and `next` are what the next page is asked with, as the peer said them; they change in the
    transaction that stores the page. push: `last_seq` is the number up to which everything was taken by the peer; the
    envelope (last_seq, pending_upto] was sent and its status is not final yet. `claim` is the worker's that works on
    it, until `claimed_until`.
    """

    class Direction(models.TextChoices):
        PULL = "pull"
        PUSH = "push"

    id = models.AutoField(primary_key=True)
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="channels")
    direction = models.CharField(max_length=4, choices=Direction)
    remote_collection = models.CharField(max_length=100, help_text="id or alias at the peer")
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="channels")
    interval_s = models.PositiveIntegerField(default=DEFAULT_INTERVAL_S)
    created_at = models.DateTimeField()

    added_after = models.CharField(max_length=64, blank=True)
    next = models.TextField(blank=True)
    last_seq = models.BigIntegerField(default=0)
    pending_upto = models.BigIntegerField(null=True, blank=True)
    pending_status = models.CharField(max_length=100, blank=True, help_text="id of the status at the peer")
    pending_since = models.DateTimeField(null=True, blank=True)

    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField()
    hinted = models.BooleanField(default=False, help_text="the peer said since the claim that it has something new")
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    failing_since = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=40, blank=True, help_text="a code")
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_date = models.CharField(max_length=64, blank=True, help_text="date_added of the last object that came")
    behind_since = models.DateTimeField(null=True, blank=True, help_text="since when there was more to come")
    moved = models.BigIntegerField(default=0, help_text="objects taken or given, since the beginning")
    moved_last_run = models.BigIntegerField(default=0)
    seconds_last_run = models.FloatField(default=0.0)

    class Meta:
        db_table = "peer_channel"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["peer", "direction", "remote_collection", "collection"], name="one_channel_each"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["next_attempt_at"], name="peer_channel_due")]

    def __str__(self) -> str:
        return f"{self.direction} {self.remote_collection}"


class PeerErrand(models.Model):
    """What a push peer is still to be told beside the sequence: to delete an object, or once more a version that it
    refused. It is tried, later each time, until it is parked for a person to look at.
    """

    class Kind(models.TextChoices):
        DELETE = "delete"
        POST = "post"

    id = models.BigAutoField(primary_key=True)
    channel = models.ForeignKey(PeerChannel, on_delete=models.CASCADE, related_name="errands")
    kind = models.CharField(max_length=6, choices=Kind)
    stix_id = models.CharField(max_length=300)
    version_id = models.BigIntegerField(default=0, help_text="of what is posted; 0 for a deletion")
    reason = models.CharField(max_length=500, blank=True, help_text="what the peer said, printable and bounded")
    tries = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="empty: parked")
    noted_at = models.DateTimeField()

    class Meta:
        db_table = "peer_errand"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "kind", "stix_id", "version_id"], name="one_errand_each")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stix_id}"


class QuarantinedObject(models.Model):
    """An object from a peer that this node does not take on its own: the bytes as they came, and why.

    What the object says of itself (id, version, creator, kid, about) is a claim: nothing here was proven. Its place in
    the sequence of its peer is that of its row.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RELEASED = "released"
        DROPPED = "dropped"

    id = models.BigAutoField(primary_key=True)
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="quarantined")
    channel = models.ForeignKey(PeerChannel, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    sha256 = models.BinaryField(max_length=32, help_text="of the bytes")
    body = models.BinaryField()
    stix_id = models.CharField(max_length=300, blank=True)
    version_text = models.CharField(max_length=64, blank=True)
    creator = models.CharField(max_length=300, blank=True, help_text="created_by_ref")
    kid = models.CharField(max_length=43, blank=True)
    about = models.CharField(max_length=300, blank=True, help_text="of a note of withdrawal: the object's id")
    about_producer = models.CharField(max_length=300, blank=True, help_text="of such a note: the producer's identity")
    reason = models.CharField(max_length=60, help_text="a code")
    detail = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    judged_at = models.DateTimeField(null=True, blank=True, help_text="again, the last time; empty: never")
    judgings = models.PositiveSmallIntegerField(default=0, help_text="how often it was judged again, and waits on")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "quarantine"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["peer", "collection", "sha256"], name="quarantined_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["kid"], name="quarantine_kid", condition=models.Q(state="waiting")),
            models.Index(fields=["creator"], name="quarantine_creator", condition=models.Q(state="waiting")),
            models.Index(
                fields=["peer", "about"],
                name="quarantine_about",
                condition=models.Q(state="waiting") & ~models.Q(about=""),
            ),
            models.Index(
                fields=["peer", "judged_at", "id"], name="quarantine_turn", condition=models.Q(state="waiting")
            ),
        ]

    def __str__(self) -> str:
        # Not by what it says of itself: pages put this into titles and attributes.
        return f"number {self.pk}"


class OverrideApproval(models.Model):
    """An operator's word that an object in quarantine has its id by right, and whatever else has it here does not."""

    id = models.AutoField(primary_key=True)
    quarantined = models.ForeignKey(QuarantinedObject, on_delete=models.CASCADE, related_name="approvals")
    operator = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()

    class Meta:
        db_table = "override_approval"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quarantined", "operator"], name="one_word_of_each_operator")
        ]

    def __str__(self) -> str:
        return f"{self.operator_id} on {self.quarantined_id}"
