"""What is taken for an e-mail address: a mailbox of RFC 5321, with the international characters of RFC 6531."""

import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 320
_MAX_LOCAL_BYTES: Final = 64
_MAX_DOMAIN_BYTES: Final = 255
_MAX_LABEL_BYTES: Final = 63
_ATOM: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~")


def is_email(text: str) -> bool:
    """Say whether `text` is an address: a dot-atom, an @, and a domain name of two labels or more.

    Quoted local parts and address literals are not taken. The NFKC form, which addresses are compared by, must be an
    address too, so that no look-alike of @ or of the dot slips through.
    """
    return _is_mailbox(text) and (text.isascii() or _is_mailbox(unicodedata.normalize("NFKC", text)))


def _is_mailbox(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return len(text) <= MAX_CHARACTERS and at == "@" and _is_local(local) and _is_domain(domain)


def _is_local(local: str) -> bool:
    if len(local.encode(errors="replace")) > _MAX_LOCAL_BYTES:
        return False
    return all(atom and all(_is_atom_character(character) for character in atom) for atom in local.split("."))


def _is_atom_character(character: str) -> bool:
    return character in _ATOM or (not character.isascii() and unicodedata.category(character)[0] in "LMNPS")


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    fits = len(domain.encode(errors="replace")) <= _MAX_DOMAIN_BYTES
    return fits and len(labels) > 1 and all(map(_is_label, labels)) and not labels[-1].isdigit()


def _is_label(label: str) -> bool:
    if not 0 < len(label.encode(errors="replace")) <= _MAX_LABEL_BYTES or label[0] == "-" or label[-1] == "-":
        return False
    return all(character == "-" or _is_label_character(character) for character in label)


def _is_label_character(character: str) -> bool:
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character)[0] in "LMN"
