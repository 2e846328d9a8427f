"""What the command line of `commonwatch playbook` looks like. It parses; playbooks.py acts."""

import argparse
from pathlib import Path


def add_playbook(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """Add the actions on a playbook. shared: the options of every command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=text, description=text, parents=[shared], allow_abbrev=False)
        action.add_argument("file", metavar="FILE", help="a CACAO 2.0 playbook; - is stdin")
        return action

    add("check", "validate a playbook, and check whether it is safe to hand on")
    signing = add("sign", "sign a playbook in CACAO's own way; the same comes out signed")
    signing.add_argument("--key", required=True, type=Path, metavar="FILE", help="your signing key")
    signing.add_argument("--signee", required=True, metavar="NAME", help="your lab's name, as others will read it")
    signing.add_argument("--created-by", metavar="ID", help="your identity")
    signing.add_argument(
        "--countersign",
        type=int,
        metavar="N",
        help="sign the signature at place N, from 0, instead of the playbook alone",
    )
    verifying = add("verify", "recompute the signatures of a playbook")
    verifying.add_argument(
        "--trust",
        action="append",
        default=[],
        type=str.strip,
        metavar="THUMBPRINT",
        help="of a key that you trust (RFC 7638): every signature has to be by one of them; may be repeated",
    )
    drawing = add("draw", "draw a playbook as a flow chart in SVG")
    drawing.add_argument("--to", type=Path, metavar="FILE", help="where the drawing goes; default: stdout")
