"""What each table of a tenant holds of a person: the handwritten list that a new table needs its line in."""

from typing import Final

import msgspec


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a table has to do with a person.

    `person` is the condition that finds the person's rows, by :id and :address_key, which are gone after an erase; ""
    for a table in which nothing personal is. `erased` says what an erase does with it, and why what stays may stay.
    """

    person: str = ""
    erased: str


HELD: Final = {
    "action_tokens": Held(person="user_id = :id", erased="deleted"),
    "api_keys": Held(erased="the application's; created_by is an id"),
    "audit_denials": Held(erased="stays: ids and numbers"),
    "audit_entries": Held(erased="stays: ids, types, times and salted hashes, whose salts are gone"),
    "audit_values": Held(
        person="subject_id = :id AND entry_id NOT IN (SELECT id FROM audit_entries WHERE type = 'user.erased')",
        erased="deleted: those about the person as who acted and as who was acted on; the erase's own has a number",
    ),
    "banned_addresses": Held(erased="made for who is banned: a keyed hash of the address, until the ban ends"),
    "emails": Held(person="user_id = :id OR address_key = :address_key", erased="deleted, sent or not"),
    "idempotency_records": Held(person="subject_id = :id", erased="deleted; the erase's own has nothing of the person"),
    "memberships": Held(person="user_id = :id", erased="deleted"),
    "mfa_backup_codes": Held(person="user_id = :id", erased="deleted"),
    "mfa_challenges": Held(person="user_id = :id", erased="deleted"),
    "mfa_failures": Held(person="user_id = :id", erased="deleted"),
    "mfa_factors": Held(person="user_id = :id", erased="deleted"),
    "organizations": Held(erased="stays: not the person's"),
    "roles": Held(erased="stays: not the person's"),
    "sessions": Held(person="user_id = :id", erased="deleted"),
    "sign_in_failures": Held(erased="that of the address is deleted; an earlier one's, a keyed hash, ends by itself"),
    "tenant_settings": Held(erased="stays: not the person's"),
    "user_counter_deltas": Held(erased="stays: numbers"),
    "user_counters": Held(erased="stays: numbers"),
    "user_sequence_runs": Held(erased="stays: times at which users were made, without their ids"),
    "users": Held(person="id = :id", erased="deleted, and what the search indexes had of it"),
}
