"""Where profiles are kept, who may read them, and which one counts."""

import os
from pathlib import Path

import pytest

from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.remote.access import Access, Credential, find_access
from hellojohn_server.cli.remote.profiles import (
    DEFAULT_API_URL,
    Profile,
    Profiles,
    profiles_file,
    read_profiles,
    write_profiles,
)

WORK = Profile(api_url="https://id.example.com", secret_key="sk_work", master_key="mk_work")
PLAY = Profile(api_url="http://localhost:3000", secret_key="sk_play")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def keep(environ: dict[str, str], current: str = "work") -> Path:
    file = profiles_file(environ)
    write_profiles(file, Profiles(current=current, profiles={"work": WORK, "play": PLAY}))
    return file


def test_the_file_and_its_directory_are_their_owners_alone(environ: dict[str, str], tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = keep(environ)
    finally:
        os.umask(before)
    assert file == tmp_path / "config" / "hellojohn" / "profiles.json"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["profiles.json"]
    assert read_profiles(file).profiles == {"work": WORK, "play": PLAY}


@pytest.mark.parametrize("home", ["", "relative/config"])
def test_without_a_whole_path_it_is_in_the_home(home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert profiles_file({"XDG_CONFIG_HOME": home}) == tmp_path / ".config" / "hellojohn" / "profiles.json"


def test_no_file_holds_no_profiles(environ: dict[str, str]) -> None:
    assert read_profiles(profiles_file(environ)) == Profiles()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_or_write_is_refused(environ: dict[str, str], mode: int) -> None:
    file = keep(environ)
    file.chmod(mode)
    with pytest.raises(CommandFailed, match="chmod 600") as refused:
        read_profiles(file)
    assert refused.value.code == ExitCode.USAGE


@pytest.mark.parametrize("text", [b"", b"[]", b'{"profiles": {"work": {"secret_key": "sk_secret_text"}}}'])
def test_a_broken_file_is_named_and_its_secrets_are_not(environ: dict[str, str], text: bytes) -> None:
    file = keep(environ)
    file.write_bytes(text)
    with pytest.raises(CommandFailed, match="is not what hj wrote") as refused:
        read_profiles(file)
    assert "sk_secret_text" not in str(refused.value)


def test_the_environment_wins_over_the_profile(environ: dict[str, str]) -> None:
    keep(environ)
    secret = Credential.SECRET_KEY
    assert find_access(secret, None, environ) == Access(WORK.api_url, "sk_work", "work")
    assert find_access(Credential.MASTER_KEY, None, environ) == Access(WORK.api_url, "mk_work", "work")
    assert find_access(secret, "play", environ) == Access(PLAY.api_url, "sk_play", "play")
    environ["HELLOJOHN_PROFILE"] = "play"
    assert find_access(secret, None, environ) == Access(PLAY.api_url, "sk_play", "play")
    assert find_access(secret, "work", environ) == Access(WORK.api_url, "sk_work", "work")
    environ["HELLOJOHN_SECRET_KEY"] = "sk_given"
    assert find_access(secret, None, environ) == Access(PLAY.api_url, "sk_given", None)
    environ["HELLOJOHN_API_URL"] = "http://localhost:4000"
    assert find_access(secret, None, environ) == Access("http://localhost:4000", "sk_given", None)
    assert find_access(Credential.NONE, None, environ) == Access("http://localhost:4000", None, "play")


def test_a_key_of_the_environment_that_pushes_aside_a_named_profile_is_told(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    keep(environ)
    find_access(Credential.SECRET_KEY, "play", environ)
    assert capsys.readouterr().err == ""
    find_access(Credential.SECRET_KEY, "play", {**environ, "HELLOJOHN_SECRET_KEY": "sk_given"})
    assert capsys.readouterr().err == "HELLOJOHN_SECRET_KEY is set: it is used, not that of the profile.\n"


def test_without_anything_it_says_how_to_begin(environ: dict[str, str]) -> None:
    assert find_access(Credential.NONE, None, environ) == Access(DEFAULT_API_URL, None, None)
    with pytest.raises(CommandFailed, match="There is no secret key: hj login, or set HELLOJOHN_SECRET_KEY") as refused:
        find_access(Credential.SECRET_KEY, None, environ)
    assert refused.value.code == ExitCode.UNAUTHENTICATED
    keep(environ, current="play")
    with pytest.raises(CommandFailed, match="The profile play has no master key"):
        find_access(Credential.MASTER_KEY, None, environ)
    with pytest.raises(CommandFailed, match=r"no profile home \(there are: play, work\)") as refused:
        find_access(Credential.SECRET_KEY, "home", environ)
    assert refused.value.code == ExitCode.USAGE
