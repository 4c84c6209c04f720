"""The sample files, and reading one from beginning to end."""

from pathlib import Path
from typing import Any, Final

from hellojohn_server.kit.user_files.formats import UserFile, UserFormat
from hellojohn_server.kit.user_files.hashes import FirebaseHashing
from hellojohn_server.kit.user_files.rows import FileShape, Row, cutter_of
from hellojohn_server.kit.user_files.users import FileUser

SAMPLES: Final = Path(__file__).parent / "samples"
SIGNER_KEY: Final = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
HASHING: Final = FirebaseHashing(SIGNER_KEY)
"""Those of the example of github.com/firebase/scrypt."""

NAMES: Final = tuple(sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md"))
PASSWORDS: Final = {
    "auth0_export.ndjson": {
        "ines.moreau@example.com": "ines-has-a-bcrypt",
        "kofi.asante@example.com": "kofi-has-an-argon2",
        "mei.tanaka@example.com": "mei-has-a-pbkdf2",
        "omar.haddad@example.com": "omar-has-a-scrypt",
    },
    "auth0_hashes.ndjson": {"petra.novak@example.com": "petra-has-a-bcrypt"},
    "auth0_import.json": {},
    "clerk_dashboard.csv": {
        "ada.oneill@example.com": "ada-has-a-bcrypt",
        "bao.nguyen@example.com": "bao-has-a-pbkdf2",
        "cem.yilmaz@example.com": "user1password",
    },
    "clerk_users.json": {"finn.berg@example.com": "finn-has-an-argon2"},
    "firebase_export.csv": {"greta.lund@example.com": "user1password"},
    "firebase_export.json": {"greta.lund@example.com": "user1password"},
    "hellojohn.csv": {"nora.blum@example.com": "nora-has-a-bcrypt"},
    "hellojohn.ndjson": {"nora.blum@example.com": "nora-has-a-bcrypt"},
    "keycloak_realm.json": {
        "kira.vogel@example.com": "secret",
        "Lena.Roth@example.com": "lena-has-a-pbkdf2",
        "milo.ferri@example.com": "milo-has-a-pbkdf2",
    },
    "supabase_users.csv": {"ivo.petrov@example.com": "ivo-has-a-bcrypt"},
    "supabase_users.ndjson": {"ivo.petrov@example.com": "ivo-has-a-bcrypt"},
}
"""The passwords of some of the people in each sample, by their addresses."""


def kind_of(name: str) -> tuple[UserFormat, FileShape]:
    """Return the format and the shape of a sample, which its name says."""
    stem, _, suffix = name.partition(".")
    return UserFormat(stem.partition("_")[0]), FileShape(suffix)


def cut(shape: FileShape, data: bytes, step: int = 65_536, *, has_header: bool = False) -> list[Row]:
    """Return the rows of a file that comes in pieces of `step` bytes."""
    cutter = cutter_of(shape, has_header=has_header)
    rows = [row for at in range(0, len(data), step) for row in cutter.feed(data[at : at + step])]
    return [*rows, *cutter.finish()]


def read(kind: UserFormat, shape: FileShape, data: bytes, hashing: FirebaseHashing | None = HASHING) -> list[Any]:
    """Return what each row of a file is read as: the user and what could not be made of it."""
    file = UserFile(kind, shape, hashing)
    rows = [*file.feed(data), *file.finish()]
    return [file.read(row) for row in rows]


def users_of(name: str) -> list[FileUser]:
    """Return the users of a sample, of whom everything could be made."""
    found = read(*kind_of(name), (SAMPLES / name).read_bytes())
    assert [faults for _, faults in found] == [[]] * len(found)
    return [user for user, _ in found]
