"""Settings: options before environment before file, and no secret in anything that is printed."""

from pathlib import Path

import pytest

from exchange.labtool.configuration import read_configuration
from exchange.labtool.errors import UsageError


def test_options_come_before_environment_before_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('node = "https://file"\ntoken = "from-file"\npins = "/file/pins"\ntimeout = 7\n')
    environ = {"COMMONWATCH_CONFIG": str(config), "COMMONWATCH_NODE": "https://env", "COMMONWATCH_PINS": "/env"}

    read = read_configuration({"node": "https://option", "pins": None}, environ)

    assert (read.node, read.token, read.pins, read.timeout_s) == ("https://option", "from-file", Path("/env"), 7.0)


def test_the_file_in_the_home_folder_is_found(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "commonwatch"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('node = "https://home"\n')

    read = read_configuration({}, {"HOME": str(tmp_path)})

    assert read.node == "https://home"
    assert read.pins == folder / "pins.json"


def test_a_token_file_of_a_nearer_source_beats_a_token(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("cwt_file\n")
    environ = {"HOME": str(tmp_path), "COMMONWATCH_TOKEN": "cwt_environment"}

    assert read_configuration({"token_file": str(token_file)}, environ).token == "cwt_file"
    assert read_configuration({"token": "cwt_option"}, environ).token == "cwt_option"
    assert read_configuration({}, environ).token == "cwt_environment"


def test_the_token_does_not_show(tmp_path: Path) -> None:
    read = read_configuration({"token": "cwt_secret"}, {"HOME": str(tmp_path)})

    assert "cwt_secret" not in repr(read)


@pytest.mark.parametrize(
    "content",
    ["node = 5", "tokn = 'x'", "token = 'cwt_secret", "timeout = 'soon'", "timeout = -1", "timeout = true\nx=1"],
)
def test_a_broken_file_is_refused_without_its_content(tmp_path: Path, content: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(content)

    with pytest.raises(UsageError) as caught:
        read_configuration({"config": str(config)}, {})
    assert "cwt_secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "t\u00f6ken", "null\x00"])
def test_a_token_that_is_none_is_refused_unseen(tmp_path: Path, token: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_configuration({"token": token}, {"HOME": str(tmp_path)})
    assert not token or token not in str(caught.value)


def test_a_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such configuration"):
        read_configuration({"config": str(tmp_path / "none.toml")}, {})
    with pytest.raises(UsageError, match="token file"):
        read_configuration({"token_file": str(tmp_path / "none")}, {"HOME": str(tmp_path)})


def test_a_command_that_needs_a_node_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--node"):
        read_configuration({}, {"HOME": str(tmp_path)}).need_node()
