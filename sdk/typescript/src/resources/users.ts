// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type {
  BanUserParams,
  BulkBanUsersParams,
  BulkDeleteUsersParams,
  BulkDisableUsersParams,
  BulkEnableUsersParams,
  BulkForcePasswordResetParams,
  BulkRestoreUsersParams,
  BulkRevokeSessionsParams,
  BulkUnbanUsersParams,
  CreateUserParams,
  DeleteUserParams,
  DisableUserParams,
  EnableUserParams,
  ExportUsersParams,
  ForcePasswordResetParams,
  ListUserOrganizationsParams,
  ListUserSessionsParams,
  ListUsersParams,
  ResendInvitationParams,
  ResendVerificationParams,
  RestoreUserParams,
  SearchUsersParams,
  SetUserPasswordParams,
  UnbanUserParams,
  UnlockUserParams,
  UpdateUserParams,
} from "../params/index.js";
import { Resource } from "../resource.js";
import type { RowStream } from "../streams.js";
import { given, path } from "../transport.js";
import type {
  Access,
  Belonging,
  BulkBanned,
  BulkDeleted,
  BulkDisabled,
  BulkEnabled,
  BulkResetsForced,
  BulkRestored,
  BulkSessionsRevoked,
  BulkUnbanned,
  ChangedUser,
  LinkQueued,
  ResetForced,
  Session,
  User,
  UserExport,
} from "../types/index.js";

/** `hj.users` */
export class Users extends Resource {
  /**
   * Say whether a user can sign in now, and what prevents it.
   *
   * Needs the scope `users:read`.
   */
  access(userId: string, options?: CallOptions): Promise<Access> {
    return this.transport.json({ method: "GET", path: path`/v1/users/${userId}/access` }, options);
  }

  /**
   * Ban a user.
   *
   * No sign-in until the end of the ban, or for good, and nobody else takes the address. Sessions end. For a user under
   * a ban the ban is changed.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  ban(userId: string, params: BanUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/ban`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Ban up to 1,000 users in one transaction.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkBan(params: BulkBanUsersParams, options?: CallOptions): Promise<BulkBanned> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-ban", body: params, keyed: true },
      options,
    );
  }

  /**
   * Move up to 1,000 users to the recycle bin in one transaction.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkDelete(params: BulkDeleteUsersParams, options?: CallOptions): Promise<BulkDeleted> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-delete", body: params, keyed: true },
      options,
    );
  }

  /**
   * Disable up to 1,000 users in one transaction.
   *
   * Users who cannot be disabled are listed in refused and left alone; the others are disabled.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkDisable(params: BulkDisableUsersParams, options?: CallOptions): Promise<BulkDisabled> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-disable", body: params, keyed: true },
      options,
    );
  }

  /**
   * Enable up to 1,000 users in one transaction.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkEnable(params: BulkEnableUsersParams, options?: CallOptions): Promise<BulkEnabled> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-enable", body: params, keyed: true },
      options,
    );
  }

  /**
   * Have up to 1,000 users choose other passwords, in one transaction.
   *
   * Each is mailed a link. Unless require is false the old passwords open nothing from now on.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkPasswordReset(params: BulkForcePasswordResetParams, options?: CallOptions): Promise<BulkResetsForced> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-password-reset", body: params, keyed: true },
      options,
    );
  }

  /**
   * Restore up to 1,000 users from the recycle bin in one transaction.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkRestore(params: BulkRestoreUsersParams, options?: CallOptions): Promise<BulkRestored> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-restore", body: params, keyed: true },
      options,
    );
  }

  /**
   * End every session of up to 1,000 users in one transaction.
   *
   * Needs the scope `sessions:write`. In some cases also `admins:manage`.
   */
  bulkRevokeSessions(params: BulkRevokeSessionsParams, options?: CallOptions): Promise<BulkSessionsRevoked> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-revoke-sessions", body: params, keyed: true },
      options,
    );
  }

  /**
   * Lift the bans of up to 1,000 users in one transaction.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  bulkUnban(params: BulkUnbanUsersParams, options?: CallOptions): Promise<BulkUnbanned> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/bulk-unban", body: params, keyed: true },
      options,
    );
  }

  /**
   * Create a user.
   *
   * With a password, with a hash that another system made, or without either: then send_invitation mails a link that
   * sets the first password. A privileged role needs admins:manage.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  create(params: CreateUserParams, options?: CallOptions): Promise<User> {
    return this.transport.json({ method: "POST", path: "/v1/users", body: params, keyed: true }, options);
  }

  /**
   * Move a user to the recycle bin, or erase the user.
   *
   * In the bin for 30 days, then erased. Sessions end. With permanent=true everything held about the user is destroyed
   * at once, for which users:erase is needed, and no reason is kept.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`, `users:erase`.
   */
  delete(userId: string, params: DeleteUserParams = {}, options?: CallOptions): Promise<ChangedUser | null> {
    const { permanent, ...body } = params;
    return this.transport.json(
      { method: "DELETE", path: path`/v1/users/${userId}`, query: { permanent }, body: given(body), keyed: true },
      options,
    );
  }

  /**
   * Disable a user.
   *
   * No sign-in until the user is enabled again. Sessions end, or with revoke_sessions false rest until then.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  disable(userId: string, params: DisableUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/disable`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Enable a user who was disabled.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  enable(userId: string, params: EnableUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/enable`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Get everything held about one person, as one document.
   *
   * Also of a user in the recycle bin. Never a password hash, a secret of a factor, a code or a token. It is made while
   * it goes out: an answer that breaks off is not complete, and no JSON.
   *
   * Needs the scope `users:export`. In some cases also `admins:manage`.
   */
  export(userId: string, options?: CallOptions): Promise<UserExport> {
    return this.transport.json({ method: "GET", path: path`/v1/admin/users/${userId}/export` }, options);
  }

  /**
   * Export users.
   *
   * Every user whom the filters select, newest first, as lines of JSON or of CSV: the fields are those of a user. Never
   * a password hash. It is made while it goes out, and what changes meanwhile is in it or not; but whoever matches
   * throughout is in it, and once. An answer that breaks off is not complete: its last chunk is missing.
   *
   * Needs the scope `users:export`. In some cases also `admins:manage`.
   */
  exportAll(params: ExportUsersParams & { format: "csv" }, options?: CallOptions): RowStream<Record<string, string>>;
  exportAll(params?: ExportUsersParams, options?: CallOptions): RowStream<User>;
  exportAll(params: ExportUsersParams = {}, options?: CallOptions): RowStream<never> {
    return this.transport.stream({ method: "GET", path: "/v1/admin/users/export", query: params }, options);
  }

  /**
   * Get a user, also one in the recycle bin.
   *
   * Needs the scope `users:read`.
   */
  get(userId: string, options?: CallOptions): Promise<User> {
    return this.transport.json({ method: "GET", path: path`/v1/users/${userId}` }, options);
  }

  /**
   * List users.
   *
   * The newest first, unless another order is asked for. Users in the recycle bin are only in status=deleted.
   *
   * Needs the scope `users:read`.
   */
  list(params: ListUsersParams = {}, options?: CallOptions): PagePromise<User> {
    return this.transport.page({ method: "GET", path: "/v1/users", query: params }, options);
  }

  /**
   * List the organizations that a user is a member of, and as what.
   *
   * Needs the scope `users:read`.
   */
  organizations(
    userId: string,
    params: ListUserOrganizationsParams = {},
    options?: CallOptions,
  ): PagePromise<Belonging> {
    return this.transport.page(
      { method: "GET", path: path`/v1/users/${userId}/organizations`, query: params },
      options,
    );
  }

  /**
   * Have a user choose another password.
   *
   * Mails a link that is good once, for an hour. Unless require is false the old password opens nothing from now on and
   * is not accepted as the new one. Sessions go on unless revoke_sessions is true.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  passwordReset(userId: string, params: ForcePasswordResetParams = {}, options?: CallOptions): Promise<ResetForced> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/password-reset`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Mail an invited user another link.
   *
   * Good once, for seven days; it takes the place of the one that was mailed before.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  resendInvitation(userId: string, params: ResendInvitationParams = {}, options?: CallOptions): Promise<LinkQueued> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/resend-invitation`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Mail a user a link that verifies the address.
   *
   * Good once, for 24 hours; it takes the place of one that was mailed before.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  resendVerification(
    userId: string,
    params: ResendVerificationParams = {},
    options?: CallOptions,
  ): Promise<LinkQueued> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/resend-verification`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Restore a user from the recycle bin.
   *
   * What kept the user out before, such as a ban that has not ended, still does; sessions stay ended.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  restore(userId: string, params: RestoreUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/restore`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Search users.
   *
   * Every word of the query must occur in name, e-mail, username, phone or id, without regard to case and accents: a
   * word of three characters and more anywhere, a shorter one at the start of a word. The filters hold besides.
   *
   * Needs the scope `users:read`.
   */
  search(params: SearchUsersParams = {}, options?: CallOptions): PagePromise<User> {
    return this.transport.page(
      { method: "POST", path: "/v1/admin/users/search", body: given(params), safe: true },
      options,
    );
  }

  /**
   * List a user's sessions, newest first; the active ones unless a status is asked for.
   *
   * Needs the scope `sessions:read`.
   */
  sessions(userId: string, params: ListUserSessionsParams = {}, options?: CallOptions): PagePromise<Session> {
    return this.transport.page({ method: "GET", path: path`/v1/users/${userId}/sessions`, query: params }, options);
  }

  /**
   * Set a user's password.
   *
   * A password, or the hash of one that another system made. The user is not told.
   *
   * Needs the scope `users:credentials`. In some cases also `admins:manage`.
   */
  setPassword(userId: string, params: SetUserPasswordParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "PUT", path: path`/v1/users/${userId}/password`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Lift a ban.
   *
   * The user may sign in again; sessions stay ended.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  unban(userId: string, params: UnbanUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/unban`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Lift a lock.
   *
   * Failed sign-ins with the user's address are forgotten, also where they have not led to a lock.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  unlock(userId: string, params: UnlockUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/unlock`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Change a user.
   *
   * Fields that are absent stay as they are; null clears one that may be null. Metadata is merged. A new e-mail address
   * needs users:credentials; a user whose role is privileged, or a privileged new role, admins:manage.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`, `users:credentials`.
   */
  update(userId: string, params: UpdateUserParams = {}, options?: CallOptions): Promise<ChangedUser> {
    return this.transport.json(
      { method: "PATCH", path: path`/v1/users/${userId}`, body: given(params), keyed: true },
      options,
    );
  }
}
