"""The commands in docs/lab-tool.md, run as they stand there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from exchange.labtool.main import COMMANDS
from tests.unit.labtool.material import indicator
from tests.unit.labtool.small_node import TOKEN, SmallNode

DOCUMENT = Path(__file__).parents[3] / "docs" / "lab-tool.md"


def test_the_documented_commands_run_in_their_order(node: SmallNode, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    keys, rest = blocks[0], "".join(blocks[1:])
    (tmp_path / "token").write_text(TOKEN)
    # The small node stores everything where it is told to; a real one puts identities in their place itself.
    rest = rest.replace("keys/identity.json\n", "keys/identity.json --collection identities\n", 1)
    root = "import json; print(json.load(open('keys/root-key.json'))['kid'])"
    (tmp_path / "object.py").write_text(
        "import json\n"
        "members = json.load(open('template.json'))\n"
        "members['created_by_ref'] = json.load(open('keys/identity.json'))['id']\n"
        "json.dump(members, open('indicator.json', 'w'))\n"
    )
    (tmp_path / "template.json").write_text(json.dumps(indicator("identity--x")))
    script = f"""set -eu
commonwatch() {{ {sys.executable} -m exchange.labtool.main "$@"; }}
{keys}
THUMBPRINT=$({sys.executable} -c "{root}")
{sys.executable} object.py
{rest}"""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(DOCUMENT.parents[1]),
        "NODE": node.url,
    }

    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert [line.split()[0] for line in done.stdout.splitlines()[-2:]] == ["ok", "ok"]


def test_every_command_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"| `{name} " in text for name in COMMANDS)
