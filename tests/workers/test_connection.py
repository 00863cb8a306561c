"""Where Temporal is comes from the environment, and what is wrong with it is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from forerun.workers.connection import ADDRESS, NobodyThere, NoConnection, Server
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.ports import free_port

PROFILES = """
[profile.default]
address = "one:7233"

[profile.other]
address = "two:7233"
namespace = "other"
"""


@pytest.fixture(name="profiles")
def _profiles(tmp_path: Path) -> str:
    path = tmp_path / "temporal.toml"
    path.write_text(PROFILES)
    return str(path)


def test_without_a_profile_it_is_on_this_machine() -> None:
    """At the port that `forerun up` takes."""
    server = Server.from_env({"TEMPORAL_CONFIG_FILE": "/nowhere.toml"})

    assert (server.address, server.namespace) == (ADDRESS, "default")


def test_profiles_and_variables_are_read_as_the_temporal_cli_does(profiles: str) -> None:
    """A variable overrides the profile in use."""
    file = {"TEMPORAL_CONFIG_FILE": profiles}

    assert Server.from_env(file).address == "one:7233"
    other = Server.from_env({**file, "TEMPORAL_PROFILE": "other"})
    assert (other.address, other.namespace) == ("two:7233", "other")
    assert Server.from_env({**file, "TEMPORAL_ADDRESS": "three:7233"}).address == "three:7233"


def test_an_unknown_profile_is_one_line(profiles: str) -> None:
    """With the variables to look at."""
    with pytest.raises(NoConnection, match=r"'nope' not found; see TEMPORAL_PROFILE") as caught:
        Server.from_env({"TEMPORAL_CONFIG_FILE": profiles, "TEMPORAL_PROFILE": "nope"})

    assert "\n" not in str(caught.value)


def test_a_broken_file_does_not_end_up_in_the_message(tmp_path: Path) -> None:
    """A parser that quotes the broken line would quote the key."""
    path = tmp_path / "temporal.toml"
    path.write_text('[profile.default]\napi_key = "sk-very-secret\n')

    with pytest.raises(NoConnection) as caught:
        Server.from_env({"TEMPORAL_CONFIG_FILE": str(path)})

    assert "line 2" in str(caught.value)
    assert "sk-very-secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://localhost:7233", "two words"])
async def test_what_is_no_address_is_not_waited_for(address: str) -> None:
    """It will not become one."""
    with pytest.raises(NoConnection, match="is no address") as caught:
        await Server.from_env({"TEMPORAL_ADDRESS": address}).connect()

    assert not isinstance(caught.value, NobodyThere)


async def test_where_nobody_answers_the_way_out_is_named() -> None:
    """That is a mistake as often as a matter of time."""
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(NobodyThere, match=rf"{address}.*forerun up.*TEMPORAL_ADDRESS"):
        await Server.at(address).connect()


async def test_a_server_that_is_there_is_not_waited_for(dev_server: DevServer) -> None:
    """And nobody is told that it would be."""
    told: list[bool] = []

    client = await Server.at(dev_server.address).wait(lambda: told.append(True))

    assert client.namespace == "default"
    assert not told
