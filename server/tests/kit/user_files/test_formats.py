import json
from typing import Any

import msgspec
import pytest

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.password_check import check_password
from hellojohn_server.kit.password_hashes import parse_password_hash
from hellojohn_server.kit.user_files.formats import UserFile, UserFormat, is_taken
from hellojohn_server.kit.user_files.rows import FileShape, MalformedFile
from hellojohn_server.kit.user_files.users import BadRow, FileUser
from tests.kit.user_files.files import NAMES, PASSWORDS, read, users_of

_CSV = FileShape.CSV
_JSON = FileShape.JSON
_NDJSON = FileShape.NDJSON


@pytest.mark.parametrize("name", NAMES)
def test_passwords_of_each_sample_match_the_hashes_that_are_read(name: str) -> None:
    users = {user.email: user for user in users_of(name)}
    for email, password in PASSWORDS[name].items():
        stored = users[email].password_hash
        assert stored is not None
        assert check_password(password, parse_password_hash(stored))
        assert not check_password(f"{password}!", parse_password_hash(stored))


def test_two_forms_of_one_file_say_the_same() -> None:
    assert users_of("auth0_export.ndjson") == users_of("auth0_import.json")
    assert users_of("supabase_users.csv") == users_of("supabase_users.ndjson")


def test_auth0() -> None:
    ines, kofi, mei, _ = users_of("auth0_export.ndjson")
    assert ines.external_id == "auth0|64f1a2b3c4d5e6f708192a3b"
    assert ines.name == "Inès Moreau"
    assert ines.email_verified
    assert ines.public_metadata == {
        "theme": "dark",
        "address": {"city": "Lyon", "lines": ["1 rue de la Paix", "Bât. C"]},
    }
    assert ines.private_metadata is not None
    assert ines.private_metadata["plan"] == "pro"
    assert ines.private_metadata["auth0"]["logins_count"] == 42
    assert ines.created_at == 1_614_852_672_345
    assert ines.last_sign_in_at == 1_730_534_400_000
    assert (kofi.disabled, kofi.disabled_reason, kofi.name) == (True, "Blocked in Auth0", None)
    assert (mei.username, mei.phone, mei.phone_verified) == ("mei.tanaka", "+81312345678", True)
    assert [user.external_id for user in users_of("auth0_hashes.ndjson")] == ["auth0|64f1a2b3c4d5e6f708192b01"]


def test_clerk() -> None:
    ada, bao, _, dana = users_of("clerk_dashboard.csv")
    assert (ada.email, ada.email_verified, ada.name) == ("ada.oneill@example.com", True, "Ada O'Neill, Jr.")
    assert (ada.phone, ada.phone_verified) == ("+14155552671", True)
    assert ada.private_metadata == {"clerk": {"other_email_addresses": ["ada.work@example.com"]}}
    assert (bao.email, bao.email_verified) == ("bao.nguyen@example.com", False)
    assert (dana.password_hash, dana.external_id) == (None, "user_2cWszPHuo6P2lCdnhhZbVMfbAIF")
    elif_, finn = users_of("clerk_users.json")
    assert (elif_.email, elif_.email_verified, elif_.banned) == ("elif.demir@example.com", True, True)
    assert (elif_.public_metadata, elif_.created_at) == ({"plan": "team"}, 1_655_251_200_456)
    assert elif_.private_metadata == {
        "crm": {"id": 77},
        "clerk": {
            "external_id": "legacy-7",
            "unsafe_metadata": {"onboarding": [1, 2, 3]},
            "other_email_addresses": ["elif.old@example.com"],
        },
    }
    assert (finn.email, finn.email_verified) == ("finn.berg@example.com", False)


def test_an_unverified_primary_address_of_clerk_stays_so() -> None:
    listed = {"primary_email_address": "a@example.com", "unverified_email_addresses": ["a@example.com"]}
    shown = {
        "primary_email_address_id": "2",
        "email_addresses": [
            {"id": "1", "email_address": "b@example.com", "verification": {"status": "verified"}},
            {"id": "2", "email_address": "a@example.com", "verification": None},
        ],
    }
    for row in (listed, shown):
        ((user, _),) = read(UserFormat.CLERK, _NDJSON, json.dumps(row).encode())
        assert (user.email, user.email_verified) == ("a@example.com", False)


def test_firebase() -> None:
    in_json, in_csv = users_of("firebase_export.json"), users_of("firebase_export.csv")
    for greta, hugo in (in_json, in_csv):
        assert (greta.external_id, greta.email_verified) == ("Zk3vQ0pJc9WQ1r8m5aKf2LhTtXx1", True)
        assert (greta.created_at, greta.last_sign_in_at) == (1_480_377_712_000, 1_730_000_000_000)
        assert greta.private_metadata is not None
        assert greta.private_metadata["firebase"]["custom_claims"] == {"role": "editor", "limits": {"projects": 5}}
        assert greta.private_metadata["firebase"]["providers"][0]["rawId"] == "108204268033311374519"
        assert (hugo.disabled, hugo.password_hash) == (True, None)
    assert in_json[0].password_hash == in_csv[0].password_hash
    assert in_csv[1].name is not None
    assert in_csv[1].name.startswith("Silva, Hugo")


def test_supabase() -> None:
    ivo, jana = users_of("supabase_users.csv")
    assert (ivo.email_verified, ivo.phone, ivo.phone_verified) == (True, "+15555550100", True)
    assert (ivo.name, ivo.avatar_url) == ("Ivo Petrov", "https://example.com/ivo.png")
    assert ivo.public_metadata is not None
    assert ivo.public_metadata["bio"] == 'Writes,\nand "quotes".'
    assert (jana.email_verified, jana.banned, jana.banned_until) == (False, True, 4_859_740_800_000)
    assert jana.created_at == 1_718_163_359_620


def test_keycloak() -> None:
    kira, lena, _ = users_of("keycloak_realm.json")
    assert (kira.username, kira.phone, kira.phone_verified) == ("kira.vogel", "+4930123456", True)
    assert kira.private_metadata is not None
    assert kira.private_metadata["keycloak"]["attributes"]["tags"] == ["a", "b"]
    assert (lena.username, lena.name, lena.disabled) == (None, "Lena", True)
    assert lena.password_reset_required
    assert lena.role is None
    assert lena.private_metadata is not None
    assert lena.private_metadata["keycloak"]["realm_roles"] == ["default-roles-acme", "admin"]


def test_ours() -> None:
    nora, otto = users_of("hellojohn.ndjson")
    assert (nora.id, nora.external_id, nora.role) == ("usr_01HZX3Y5N8Q7W2K4M6P9R1T3V5", "crm-1", "member")
    assert (nora.updated_at, nora.last_active_at) == (1_612_231_322_020, 1_643_853_722_020)
    assert (otto.disabled, otto.disabled_reason) == (True, "Left")
    assert (otto.banned, otto.banned_at, otto.banned_until, otto.ban_reason) == (True, 1_672_531_200_000, None, "Spam")
    from_csv = users_of("hellojohn.csv")
    assert from_csv[0].private_metadata == {"score": {"a": [1, 2]}}
    assert msgspec.structs.replace(from_csv[1], email="") == msgspec.structs.replace(otto, email="")


def _auth0(**given: Any) -> bytes:
    return json.dumps({"email": "a@example.com", **given}).encode()


def _custom(**given: Any) -> bytes:
    return _auth0(custom_password_hash=given)


def _keycloak(data: str, secret: str = '{"value":"AAAA","salt":"AAAA"}') -> bytes:
    password = {"type": "password", "credentialData": data, "secretData": secret}
    return json.dumps({"users": [{"email": "a@example.com", "credentials": [password]}]}).encode()


def _firebase(
    verified: bytes = b"", digest: bytes = b"", created: bytes = b"", disabled: bytes = b"", claims: bytes = b""
) -> bytes:
    """Return a record of `firebase auth:export`."""
    start = b"1,a@example.com,%b,%b,," % (verified, digest)
    return start + b"," * 18 + b"%b,,,%b,%b,\n" % (created, disabled, claims)


@pytest.mark.parametrize(
    ("kind", "shape", "row", "field", "code"),
    [
        (UserFormat.AUTH0, _NDJSON, _auth0(email=5), "email", FieldCode.WRONG_TYPE),
        (UserFormat.AUTH0, _NDJSON, _auth0(email_verified="yes"), "email_verified", FieldCode.WRONG_TYPE),
        (UserFormat.AUTH0, _NDJSON, _auth0(user_metadata=[1]), "user_metadata", FieldCode.WRONG_TYPE),
        (UserFormat.AUTH0, _NDJSON, _auth0(created_at="last year"), "created_at", FieldCode.INVALID),
        (UserFormat.AUTH0, _NDJSON, _auth0(created_at=[1]), "created_at", FieldCode.WRONG_TYPE),
        (UserFormat.AUTH0, _NDJSON, _auth0(name="a\0b"), "", FieldCode.INVALID),
        (UserFormat.AUTH0, _NDJSON, b'{"email": "a@exam', "", FieldCode.INVALID),
        (UserFormat.AUTH0, _NDJSON, b'{"email": "\xff"}', "", FieldCode.INVALID),
        (UserFormat.AUTH0, _NDJSON, b'{"email": "\\ud83d"}', "", FieldCode.INVALID),
        (UserFormat.AUTH0, _NDJSON, b"[1]", "", FieldCode.WRONG_TYPE),
        (UserFormat.AUTH0, _NDJSON, b'{"a": %b}' % (b"[" * 50_000), "", FieldCode.INVALID),
        (
            UserFormat.AUTH0,
            _NDJSON,
            _custom(algorithm="md5", hash={"value": "aa"}),
            "custom_password_hash",
            FieldCode.INVALID,
        ),
        (UserFormat.AUTH0, _NDJSON, _custom(algorithm="bcrypt"), "custom_password_hash", FieldCode.WRONG_TYPE),
        (
            UserFormat.AUTH0,
            _NDJSON,
            _custom(algorithm="scrypt", cost=1000, hash={"value": "aa", "encoding": "hex"}),
            "custom_password_hash",
            FieldCode.INVALID,
        ),
        (
            UserFormat.AUTH0,
            _NDJSON,
            _custom(algorithm="scrypt", hash={"value": "xx", "encoding": "hex"}),
            "custom_password_hash",
            FieldCode.INVALID,
        ),
        (
            UserFormat.AUTH0,
            _NDJSON,
            _custom(algorithm="scrypt", hash={"value": "aa", "encoding": "utf16"}),
            "custom_password_hash",
            FieldCode.INVALID,
        ),
        (
            UserFormat.AUTH0,
            _NDJSON,
            _custom(algorithm="bcrypt", hash={"value": "$2b$"}, password={"encoding": "utf16le"}),
            "custom_password_hash",
            FieldCode.INVALID,
        ),
        (
            UserFormat.AUTH0,
            _NDJSON,
            _auth0(password_hash="$2b$", custom_password_hash={"algorithm": "bcrypt", "hash": {"value": "$2b$"}}),
            "custom_password_hash",
            FieldCode.INVALID,
        ),
        (UserFormat.CLERK, _CSV, b"primary_email_address,password_digest\na,x\n", "password_digest", FieldCode.INVALID),
        (
            UserFormat.CLERK,
            _CSV,
            b"primary_email_address,password_digest,password_hasher\na,x,md5\n",
            "password_digest",
            FieldCode.INVALID,
        ),
        (
            UserFormat.CLERK,
            _CSV,
            b"primary_email_address,password_digest,password_hasher\na,x$y,pbkdf2_sha256\n",
            "password_digest",
            FieldCode.INVALID,
        ),
        (
            UserFormat.CLERK,
            _CSV,
            b"primary_email_address,password_digest,password_hasher\na,x$y,scrypt_firebase\n",
            "password_digest",
            FieldCode.INVALID,
        ),
        (UserFormat.CLERK, _CSV, b"primary_email_address,banned\na,perhaps\n", "banned", FieldCode.WRONG_TYPE),
        (UserFormat.CLERK, _CSV, b"primary_email_address,id\na,b,c\n", "", FieldCode.INVALID),
        (UserFormat.CLERK, _CSV, b"primary_email_address,id\na,\xff\n", "", FieldCode.INVALID),
        (UserFormat.CLERK, _CSV, b"primary_email_address,id\na,\0\n", "", FieldCode.INVALID),
        (UserFormat.CLERK, _CSV, b"primary_email_address,id\na,%b\n" % (b"x" * 140_000), "", FieldCode.INVALID),
        (
            UserFormat.CLERK,
            _CSV,
            b"primary_email_address,public_metadata\na,{\n",
            "public_metadata",
            FieldCode.INVALID,
        ),
        (
            UserFormat.FIREBASE,
            _CSV,
            _firebase(verified=b"maybe"),
            "emailVerified",
            FieldCode.WRONG_TYPE,
        ),
        (UserFormat.FIREBASE, _CSV, _firebase(digest=b"aaaa"), "salt", FieldCode.REQUIRED),
        (UserFormat.FIREBASE, _CSV, _firebase(created=b"soon"), "createdAt", FieldCode.INVALID),
        (UserFormat.FIREBASE, _CSV, _firebase(disabled=b"no way"), "disabled", FieldCode.WRONG_TYPE),
        (
            UserFormat.FIREBASE,
            _CSV,
            _firebase(claims=b"{"),
            "customAttributes",
            FieldCode.WRONG_TYPE,
        ),
        (UserFormat.SUPABASE, _CSV, b"email,raw_user_meta_data\na,{{\n", "raw_user_meta_data", FieldCode.INVALID),
        (UserFormat.SUPABASE, _CSV, b"email,raw_app_meta_data\na,[1]\n", "raw_app_meta_data", FieldCode.WRONG_TYPE),
        (UserFormat.SUPABASE, _CSV, b"email,banned_until\na,infinity\n", "banned_until", FieldCode.INVALID),
        (UserFormat.SUPABASE, _CSV, b"email,deleted_at\na,2024-01-01 00:00:00+00\n", "deleted_at", FieldCode.INVALID),
        (UserFormat.SUPABASE, _CSV, b"email,is_sso_user\na,2\n", "is_sso_user", FieldCode.WRONG_TYPE),
        (UserFormat.KEYCLOAK, _JSON, _keycloak("{}"), "credentials", FieldCode.INVALID),
        (UserFormat.KEYCLOAK, _JSON, _keycloak("{"), "credentials", FieldCode.INVALID),
        (UserFormat.KEYCLOAK, _JSON, _keycloak('{"algorithm":"argon2"}'), "credentials", FieldCode.INVALID),
        (
            UserFormat.KEYCLOAK,
            _JSON,
            _keycloak('{"algorithm":"pbkdf2-sha512"}', '{"value":"?","salt":"?"}'),
            "credentials",
            FieldCode.INVALID,
        ),
        (UserFormat.KEYCLOAK, _JSON, b'{"users":[{"emailVerified":"true"}]}', "emailVerified", FieldCode.WRONG_TYPE),
        (UserFormat.KEYCLOAK, _JSON, b'{"users":[{"attributes":{"a":"b"}}]}', "attributes", FieldCode.WRONG_TYPE),
        (
            UserFormat.KEYCLOAK,
            _JSON,
            b'{"users":[{"serviceAccountClientId":"x"}]}',
            "serviceAccountClientId",
            FieldCode.INVALID,
        ),
        (UserFormat.HELLOJOHN, _NDJSON, b'{"emial": "a"}', "emial", FieldCode.UNKNOWN),
        (UserFormat.HELLOJOHN, _NDJSON, b'{"a@example.com": "a"}', "", FieldCode.UNKNOWN),
        (UserFormat.HELLOJOHN, _NDJSON, b'{"status": "deleted"}', "status", FieldCode.INVALID),
        (UserFormat.HELLOJOHN, _NDJSON, b'{"ban": {"until": "never"}}', "ban.until", FieldCode.INVALID),
        (UserFormat.HELLOJOHN, _CSV, b"email,disabled\na,perhaps\n", "disabled", FieldCode.WRONG_TYPE),
    ],
)
def test_what_is_wrong_with_a_row(kind: UserFormat, shape: FileShape, row: bytes, field: str, code: FieldCode) -> None:
    try:
        ((_, faults),) = read(kind, shape, row)
    except BadRow as bad:
        faults = bad.faults
    assert [(fault.field, fault.code) for fault in faults] == [(field, code)]


def test_several_faults_of_a_row_are_listed_together() -> None:
    with pytest.raises(BadRow) as bad:
        read(UserFormat.AUTH0, _NDJSON, _auth0(email=1, blocked=2, name=[]))
    assert [fault.field for fault in bad.value.faults] == ["email", "name", "blocked"]
    ((_, faults),) = read(UserFormat.AUTH0, _NDJSON, _auth0(created_at="x", last_login="y"))
    assert [fault.field for fault in faults] == ["created_at", "last_login"]


def test_passwords_of_firebase_need_the_signer_key() -> None:
    row = {"email": "a@example.com", "passwordHash": "aaaa", "salt": "aaaa"}
    ((user, faults),) = read(UserFormat.FIREBASE, _NDJSON, json.dumps(row).encode(), None)
    assert user.password_hash is None
    assert [(fault.field, fault.code) for fault in faults] == [("passwordHash", FieldCode.REQUIRED)]


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (UserFormat.HELLOJOHN, b"somebody@example.com,x\n"),
        (UserFormat.HELLOJOHN, b"email,colour\n"),
        (UserFormat.SUPABASE, b"id,email,email\n"),
        (UserFormat.CLERK, b"email\n"),
        (UserFormat.CLERK, b"\xff,primary_email_address\n"),
    ],
)
def test_a_header_that_is_none_is_refused_and_not_repeated(kind: UserFormat, header: bytes) -> None:
    with pytest.raises(MalformedFile) as refused:
        read(kind, _CSV, header + b"a,b\n")
    assert "somebody" not in refused.value.message


def test_numbers_stay_texts_and_null_is_a_name() -> None:
    ((user, faults),) = read(UserFormat.HELLOJOHN, _CSV, b"email,name,username\na@example.com,Null,123\n")
    assert (user.name, user.username, faults) == ("Null", "123", [])


def test_an_escaped_backslash_before_u0000_is_no_null() -> None:
    ((user, _),) = read(UserFormat.AUTH0, _NDJSON, b'{"name": "\\\\u0000"}')
    assert user.name == "\\u0000"


def test_names_of_our_fields_in_each_format() -> None:
    own = set(FileUser.__struct_fields__)
    for kind in UserFormat:
        file = UserFile(kind, _JSON)
        assert all(file.name_of(name) for name in own)
    assert UserFile(UserFormat.SUPABASE, _CSV).name_of("password_hash") == "encrypted_password"
    assert UserFile(UserFormat.HELLOJOHN, _CSV).name_of("password_hash") == "password_hash"


def test_keycloak_has_no_csv() -> None:
    assert [kind for kind in UserFormat for shape in FileShape if not is_taken(kind, shape)] == [UserFormat.KEYCLOAK]
