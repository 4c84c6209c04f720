"""What each table of a tenant holds of a person: the handwritten list that a new table needs its line in."""

from typing import Final

import msgspec


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a table has to do with a person.

    `person` is the condition that finds the person's rows, by :id and :address_key, which are gone after an erase; ""
    for a table in which nothing personal is. `erased` says what an erase does with it, and why what stays may stay.
    `exported` is the field of an export that has it, or says after "not: " why none does.
    """

    person: str = ""
    erased: str
    exported: str


HELD: Final = {
    "action_tokens": Held(person="user_id = :id", erased="deleted", exported="links"),
    "api_keys": Held(erased="the application's; created_by is an id", exported="not: not the person's"),
    "audit_denials": Held(erased="stays: ids and numbers", exported="not: numbers, shown with their entries"),
    "audit_entries": Held(
        erased="stays: ids, types, times and salted hashes, whose salts are gone", exported="audit_logs"
    ),
    "audit_values": Held(
        person="subject_id = :id AND entry_id NOT IN (SELECT id FROM audit_entries WHERE type = 'user.erased')",
        erased="deleted: those about the person as who acted and as who was acted on; the erase's own has a number",
        exported="audit_logs",
    ),
    "banned_addresses": Held(
        erased="made for who is banned: a keyed hash of the address, until the ban ends",
        exported="not: of the erased only",
    ),
    "emails": Held(
        person="user_id = :id OR address_key = :address_key", erased="deleted, sent or not", exported="emails"
    ),
    "idempotency_records": Held(
        person="subject_id = :id",
        erased="deleted; the erase's own has nothing of the person",
        exported="not: answers to the application, sealed, for a day",
    ),
    "job_users": Held(
        person="user_id = :id",
        erased="deleted; the job's numbers stay",
        exported="not: an id and what became of it, also in the entries",
    ),
    "jobs": Held(
        erased="stays: numbers; the reason and metadata it was asked with are sealed, and destroyed at its end",
        exported="not: the application's",
    ),
    "import_refused_rows": Held(
        erased="stays: line numbers, names of fields and codes, without values", exported="not: nothing of the person"
    ),
    "imports": Held(erased="stays: numbers, and a file's hash while it is read", exported="not: not the person's"),
    "memberships": Held(person="user_id = :id", erased="deleted", exported="organizations"),
    "mfa_backup_codes": Held(person="user_id = :id", erased="deleted", exported="backup_codes"),
    "mfa_challenges": Held(person="user_id = :id", erased="deleted", exported="not: a secret's hash, for ten minutes"),
    "mfa_factors": Held(person="user_id = :id", erased="deleted", exported="factors"),
    "mfa_failures": Held(person="user_id = :id", erased="deleted", exported="not: a number, for ten minutes"),
    "organization_invitations": Held(
        person="email_key = :address_key", erased="deleted", exported="not: open offers of others, mailed to the person"
    ),
    "organizations": Held(erased="stays: not the person's", exported="organizations"),
    "plan_users": Held(
        person="user_id = :id", erased="deleted; the plan's numbers stay", exported="not: an id, for a day"
    ),
    "plans": Held(
        erased="stays: numbers; the query and the reason are sealed, and destroyed when it was run or after a day",
        exported="not: the application's",
    ),
    "revocations": Held(
        erased="stays for a day at most: ids and times, so that verifiers refuse the tokens that are out",
        exported="not: ids, for a day",
    ),
    "roles": Held(erased="stays: not the person's", exported="not: not the person's"),
    "sessions": Held(person="user_id = :id", erased="deleted", exported="sessions"),
    "sign_in_failures": Held(
        erased="that of the address is deleted; an earlier one's was when the address changed",
        exported="not: times under a keyed hash, for a quarter of an hour",
    ),
    "used_passkey_challenges": Held(
        erased="ends by itself: a secret's hash, for five minutes, which names nobody",
        exported="not: not the person's",
    ),
    "tenant_settings": Held(erased="stays: not the person's", exported="not: not the person's"),
    "user_counter_deltas": Held(erased="stays: numbers", exported="not: numbers"),
    "user_counters": Held(erased="stays: numbers", exported="not: numbers"),
    "user_sequence_runs": Held(
        erased="stays: times at which users were made, without their ids", exported="not: times, without ids"
    ),
    "users": Held(person="id = :id", erased="deleted, and what the search indexes had of it", exported="user"),
}
