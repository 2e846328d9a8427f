"""The node, its labs, their keys, pins, tokens and persons. Every step finds what an earlier start has done.

What a crash has left half done is done again: files and rows agree, because secrets are written to their file before
the rows that they open are committed, and accounts whose rows are missing are made anew.
"""

from __future__ import annotations

import base64
import secrets
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from attribution.issuing.epochs import tend_epochs
from exchange.labtool.files import write_file
from exchange.labtool.key_files import IDENTITY_FILE, ROOT_KEY_FILE, SIGNING_KEY_FILE, read_key_file, write_key_file
from exchange.labtool.keygen import make_identity
from exchange.models import Lab, Person, Pin, Token
from exchange.quickstart.accounts import (
    CREDENTIALS_FILE,
    PINS_FILE,
    TOOL_FILE,
    Account,
    keep_account,
    operator_file,
    read_accounts,
    write_private_json,
    write_tool_configuration,
)
from exchange.quickstart.labs import OPERATOR, DemoLab, DemoNode
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import HOME_COLLECTIONS
from exchange.services.errors import NotFoundError
from exchange.services.held_keys import create_exchange_key
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab, create_person, find_lab
from exchange.services.node import init_node
from exchange.services.principals import OPERATOR as AS_OPERATOR
from exchange.services.tokens import issue_token, prefix_of
from exchange.stix.extensions import Home
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object

TOKEN_LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=1)
PASSWORD_BYTES = 18
TOTP_BYTES = 20  # RFC 4226 section 4, R6
# What a token with the scope sign must be bound to; the demonstration has one machine and little to sign.
SIGNING_BOUNDS = {
    "collections": [alias for alias, _title in HOME_COLLECTIONS],
    "highest_label": Tlp.AMBER_STRICT.label,
    "networks": ["127.0.0.0/8", "::1/128"],
    "daily_quota": 10_000,
}


def provision_node(data_dir: Path, node: DemoNode) -> dict[str, Any]:
    """Bring the node, the labs that live there and their accounts about; answers what others may know of them.

    {"persons": {lab: identity id}, "pins": {lab or node: [thumbprint]}}

    Raises:
        QuickstartError, ExchangeError: with one line.
    """
    itself = _provision_identity_of_node(node, data_dir)
    # The worker would begin the first one within a minute, which is too late for who publishes selectors at once.
    tend_epochs(actor=AS_OPERATOR)
    home = Home(node=_root_of(itself), exclusive=len(node.labs) == 1)
    credentials = data_dir / CREDENTIALS_FILE
    before = read_accounts(credentials)
    for demo in node.labs:
        lab = _find_or_create_lab(demo)
        root = _provision_keys(demo, lab, home, data_dir)
        pin_key(actor=AS_OPERATOR, lab=lab, thumbprint=root.kid)
        # Written with each lab, so that no start leaves an account whose secrets are nowhere.
        with transaction.atomic():
            account = _provision_account(demo, lab, data_dir, before.get(demo.slug))
            keep_account(credentials, account)
        write_tool_configuration(demo.folder(data_dir) / TOOL_FILE, account, data_dir / PINS_FILE)
    _provision_operator(operator_file(data_dir, node))
    persons = {demo.slug: Person.objects.get(username=demo.person).identity_id for demo in node.labs}
    return {"persons": persons, "pins": _pins_of([itself, *(find_lab(demo.slug) for demo in node.labs)])}


def _provision_identity_of_node(node: DemoNode, data_dir: Path) -> Lab:
    new = init_node(name=node.name, title=node.title)
    if new.root_key is not None:
        path = node.folder(data_dir) / ROOT_KEY_FILE
        path.unlink(missing_ok=True)
        write_key_file(path, new.root_key)
    return new.lab


def _root_of(lab: Lab) -> str:
    return str(Pin.objects.filter(lab=lab).order_by("id").values_list("thumbprint", flat=True)[0])


def _pins_of(labs: list[Lab]) -> dict[str, list[str]]:
    return {
        lab.slug: list(Pin.objects.filter(lab=lab).order_by("id").values_list("thumbprint", flat=True)) for lab in labs
    }


def _find_or_create_lab(demo: DemoLab) -> Lab:
    try:
        return find_lab(demo.slug)
    except NotFoundError:
        return create_lab(actor=AS_OPERATOR, slug=demo.slug, name=demo.name)


def _provision_keys(demo: DemoLab, lab: Lab, home: Home, data_dir: Path) -> SigningKey:
    """Keys and signed identity in the lab's folder, which appears complete or not at all; answers the root key."""
    folder = demo.folder(data_dir)
    if not folder.exists():
        draft = folder.with_name(f".{demo.slug}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        _write_keys(demo, lab, home, draft)
        draft.rename(folder)
    return read_key_file(folder / ROOT_KEY_FILE).key


def _write_keys(demo: DemoLab, lab: Lab, home: Home, folder: Path) -> None:
    root = SigningKey.generate("root")
    if demo.custody == "exchange":
        signing = create_exchange_key(actor=AS_OPERATOR, lab=lab)
    else:
        signing = SigningKey.generate("sig")
        write_key_file(folder / SIGNING_KEY_FILE, signing)
    identity = make_identity(demo.name, root, signing, demo.custody, Tlp.GREEN, now=now(), home=[home])
    write_key_file(folder / ROOT_KEY_FILE, root)
    write_file(folder / IDENTITY_FILE, identity + b"\n")


def _provision_account(demo: DemoLab, lab: Lab, data_dir: Path, before: Account | None) -> Account:
    folder = demo.folder(data_dir)
    identity = str(read_object((folder / IDENTITY_FILE).read_bytes()).members["id"])
    password, totp_secret = _provision_person(demo, lab, before)
    key_file = str(folder / SIGNING_KEY_FILE) if demo.custody == "lab" else None
    return Account(
        lab=demo.slug,
        node=settings.PUBLIC_URL,
        identity=identity,
        username=demo.person,
        password=password,
        totp_secret=totp_secret,
        api_token=_provision_token(lab, before.api_token if before else "", demo.scopes),
        client_token=_provision_token(lab, before.client_token if before else "", ["read"], client=True),
        key_file=key_file,
        root_key_file=str(folder / ROOT_KEY_FILE),
    )


def _provision_token(lab: Lab, known: str, scopes: list[str], *, client: bool = False) -> str:
    """The secret of the token that is known already if it is still good for a day, else of a new one."""
    token = Token.objects.filter(prefix=prefix_of(known), lab=lab).first() if known else None
    if token is not None and token.is_valid_at(now() + RENEW_BEFORE):
        return known
    issued = issue_token(
        actor=AS_OPERATOR,
        lab=lab,
        scopes=scopes,
        client=client,
        expires_at=now() + TOKEN_LIFETIME,
        bounds=SIGNING_BOUNDS if "sign" in scopes else None,
    )
    return issued.secret


def _provision_person(demo: DemoLab, lab: Lab, before: Account | None) -> tuple[str, str]:
    """Password and one-time code secret of the lab's person; new ones where the file of the old ones is lost."""
    person = Person.objects.filter(username=demo.person).first()
    if person is not None and before is not None:
        return before.password, before.totp_secret
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    if person is not None:
        return password, _reset_person(person, password)
    new = create_person(actor=AS_OPERATOR, lab=lab, username=demo.person, role=Person.Role.ANALYST, password=password)
    return password, new.totp_secret


def _reset_person(person: Person, password: str) -> str:
    """Give a person whose secrets are lost new ones; answers the one-time code secret in base32."""
    key = secrets.token_bytes(TOTP_BYTES)
    with transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        TOTPDevice.objects.filter(user=person).delete()
        TOTPDevice.objects.create(user=person, name="authenticator", confirmed=True, key=key.hex())
        record_event(AS_OPERATOR, "person-reset", person.username)
    return base64.b32encode(key).decode()


def _provision_operator(path: Path) -> None:
    """The one who runs the node, with an account in a file of its own: no lab, and so no entry among the labs'."""
    person = Person.objects.filter(username=OPERATOR).first()
    if person is not None and path.exists():
        return
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():
        if person is None:
            new = create_person(actor=AS_OPERATOR, username=OPERATOR, role=Person.Role.OPERATOR, password=password)
            totp_secret = new.totp_secret
        else:
            totp_secret = _reset_person(person, password)
        account = {"node": settings.PUBLIC_URL, "username": OPERATOR, "password": password, "totp_secret": totp_secret}
        write_private_json(path, account)
