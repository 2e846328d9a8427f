"""The command `commonwatch`: reads the command line, calls one core, says what happened, gives the exit code.

0 done, 1 something was found wrong with the data, 2 usage, 3 could not reach or was refused. Expected failures
are one line on stderr; a traceback is a fault of this program.
"""

import json
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from exchange.labtool import attributing, workbench
from exchange.labtool.arguments import parse_arguments
from exchange.labtool.client import NodeClient
from exchange.labtool.commands import DONE, WRONG, Command
from exchange.labtool.configuration import Configuration, read_configuration
from exchange.labtool.errors import DataError, LabToolError, UsageError
from exchange.labtool.files import read_file
from exchange.labtool.inputs import lab_identity_of, objects_in, open_key_file, read_input
from exchange.labtool.key_files import read_exchange_key
from exchange.labtool.keygen import make_lab, make_lab_draft, save_draft, save_lab
from exchange.labtool.output import Output
from exchange.labtool.pins import read_pins, write_pins
from exchange.labtool.pulling import PullReport, pull, utc_now
from exchange.labtool.revoking import revoke
from exchange.labtool.signing import CannotSignError, sign_objects
from exchange.labtool.verifying import verify_paths
from exchange.labtool.webhooks import read_webhook_secret, verify_webhook
from exchange.stix.errors import StixError, shown
from exchange.stix.extensions import Home
from exchange.stix.keys import SigningKey, is_thumbprint
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_taxii, parse_timestamp

INTERRUPTED: Final = 130  # 128 + SIGINT, as shells report it
MAX_PAGE_OBJECTS: Final = 10_000
MAX_SECRET_BYTES: Final = 1_024


def run(arguments: Sequence[str] | None = None) -> None:
    """The console script: ends the process with the exit code."""
    sys.exit(main(arguments))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and answer with the exit code."""
    # taxii2-client reports on the root logger what we say ourselves.
    logging.getLogger().addHandler(logging.NullHandler())
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json=getattr(options, "json", False))
    try:
        return COMMANDS[options.command](options, read_configuration(vars(options)), output)
    except LabToolError as error:
        output.note(str(error))
        return error.exit_code
    except StixError as error:
        output.note(str(error))
        return WRONG
    except KeyboardInterrupt:
        output.note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our answer has enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG


def _keygen(options: Namespace, _configuration: Configuration, output: Output) -> int:
    if options.exchange_key is not None:
        return _keygen_draft(options, output)
    lab = make_lab(
        options.lab,
        contact=options.contact,
        now=utc_now(),
        home=[_home(text) for text in options.home],
        marking=Tlp.parse(options.marking),
    )
    save_lab(lab, options.to)
    answer = {"identity": lab.identity_id, "root_thumbprint": lab.root.kid, "signing_kid": lab.signing.kid}
    lines = [
        f"identity         {lab.identity_id}",
        f"root thumbprint  {lab.root.kid}",
        f"signing key      {lab.signing.kid}",
        f"Keep {options.to}/root-key.json offline. Tell others the root thumbprint over another channel.",
    ]
    output.answer({**answer, "folder": str(options.to)}, lines)
    return DONE


def _keygen_draft(options: Namespace, output: Output) -> int:
    draft = make_lab_draft(
        options.lab,
        read_exchange_key(options.exchange_key),
        contact=options.contact,
        now=utc_now(),
        home=[_home(text) for text in options.home],
        marking=Tlp.parse(options.marking),
    )
    save_draft(draft, options.to)
    answer = {"identity": draft.identity_id, "root_thumbprint": draft.root.kid, "signing_kid": draft.signing_kid}
    lines = [
        f"identity         {draft.identity_id}",
        f"root thumbprint  {draft.root.kid}",
        f"signing key      {draft.signing_kid}, kept by the exchange",
        f"Keep {options.to}/root-key.json offline. Tell others the root thumbprint over another channel.",
        f"Next: the node's operator runs `manage.py countersign_identity LAB {options.to}/identity.json --to FILE`.",
        "Publish the file that this writes; nobody believes the identity before.",
    ]
    output.answer({**answer, "folder": str(options.to)}, lines)
    return DONE


def _trust(options: Namespace, configuration: Configuration, output: Output) -> int:
    pins = read_pins(configuration.pins, missing_ok=True).with_root(options.lab, options.thumbprint)
    write_pins(configuration.pins, pins)
    answer = {"lab": options.lab, "thumbprint": options.thumbprint, "pins": str(configuration.pins)}
    output.answer(answer, [f"{options.lab} is trusted by {options.thumbprint} in {configuration.pins}"])
    return DONE


def _sign(options: Namespace, _configuration: Configuration, output: Output) -> int:
    bodies = [read_input(name) for name in options.files]
    key_file = open_key_file(options.key, output)
    objects = objects_in(bodies)
    try:
        signed = sign_objects(
            objects,
            key_file.key,
            now=utc_now(),
            lab_identity=lab_identity_of(options.lab_identity, key_file),
            fix=options.normalise,
        )
    except CannotSignError as error:
        output.faults(error.faults)
        raise
    output.data(_in_the_form_of(bodies, signed))
    return DONE


def _publish(options: Namespace, configuration: Configuration, output: Output) -> int:
    objects = objects_in([read_input(name) for name in options.files])
    if not objects:
        raise DataError("there is nothing to publish")
    with _client(configuration) as client:
        results = client.publish(
            objects,
            sign=options.sign,
            dry_run=options.dry_run,
            collection=options.collection,
            on_batch=lambda count: output.progress(f"{count} of {len(objects)} published"),
        )
    output.results(results)
    return DONE if all(result.is_accepted for result in results) else WRONG


def _revoke(options: Namespace, configuration: Configuration, output: Output) -> int:
    key_file = None if options.sign else open_key_file(options.key, output)
    ours = lab_identity_of(options.lab_identity, key_file)
    key: SigningKey | None = key_file.key if key_file is not None else None
    with _client(configuration) as client:
        result = revoke(client, options.id, key=key, lab_identity=ours, now=utc_now())
    output.results([result])
    return DONE if result.is_accepted else WRONG


def _pull(options: Namespace, configuration: Configuration, output: Output) -> int:
    if not 1 <= options.page_objects <= MAX_PAGE_OBJECTS:
        raise UsageError(f"--page-objects must be from 1 to {MAX_PAGE_OBJECTS}")
    pins = read_pins(configuration.pins)

    def show(report: PullReport) -> None:
        output.progress(f"{report.received} received, {report.stored} stored")

    with _client(configuration) as client:
        report = pull(
            client.feed(),
            options.to,
            pins,
            collection=options.collection,
            from_start=options.from_start,
            page_objects=options.page_objects,
            on_page=show,
        )
    output.pulled(report)
    return DONE if report.is_clean and not report.stopped else WRONG


def _verify(options: Namespace, configuration: Configuration, output: Output) -> int:
    try:
        seen_at = parse_timestamp(options.seen_at) if options.seen_at else None
    except StixError as error:
        raise UsageError(f"--seen-at: {error.message}") from None
    found, failed = 0, 0
    for judged in verify_paths(options.paths, read_pins(configuration.pins), now=utc_now(), seen_at=seen_at):
        output.judged(judged)
        found += 1
        failed += not judged.verdict.is_ok
    if not found:
        raise DataError("there is no object in these files")
    return WRONG if failed else DONE


def _verify_webhook(options: Namespace, _configuration: Configuration, output: Output) -> int:
    message = verify_webhook(
        secrets=[_webhook_secret(path) for path in options.secret_file],
        message_id=options.id,
        timestamp=options.timestamp,
        signature=options.signature,
        body=read_input(options.body),
        now=utc_now(),
    )
    sent_at = format_taxii(message.sent_at)
    output.answer({"id": message.id, "sent": sent_at}, [f"ok  {shown(message.id)}  sent {sent_at}"])
    return DONE


COMMANDS: Final[Mapping[str, Command]] = {
    "keygen": _keygen,
    "trust": _trust,
    "sign": _sign,
    "publish": _publish,
    "revoke": _revoke,
    "pull": _pull,
    "verify": _verify,
    "verify-webhook": _verify_webhook,
    **attributing.COMMANDS,
    **workbench.COMMANDS,
}


def _client(configuration: Configuration) -> NodeClient:
    return NodeClient(configuration.need_node(), configuration.token, configuration.timeout_s)


def _webhook_secret(path: Path) -> bytes:
    try:
        return read_webhook_secret(read_file(path, max_bytes=MAX_SECRET_BYTES).decode("utf-8", "replace"))
    except FileNotFoundError:
        raise DataError(f"no such file: {path}") from None


def _in_the_form_of(bodies: list[bytes], signed: list[bytes]) -> bytes:
    """One object for one object, a bundle for a bundle, else a list."""
    listed = b"[" + b",\n".join(signed) + b"]"
    if len(bodies) > 1 or bodies[0].lstrip()[:1] == b"[":
        return listed + b"\n"
    members = json.loads(bodies[0])
    if members.get("type") not in (None, "bundle"):
        return signed[0] + b"\n"
    others = {name: value for name, value in members.items() if name != "objects"}
    head = json.dumps(others, ensure_ascii=False)[:-1].encode()
    return head + (b", " if others else b"") + b'"objects": ' + listed + b"}\n"


def _home(text: str) -> Home:
    node, _comma, flag = text.partition(",")
    if not is_thumbprint(node) or flag not in ("", "exclusive"):
        raise UsageError(f"--home takes THUMBPRINT or THUMBPRINT,exclusive, not {shown(text)}")
    return Home(node, flag == "exclusive")


if __name__ == "__main__":
    run()
