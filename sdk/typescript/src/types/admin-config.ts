// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** A tenant's settings. `updated_at` null: they have never been changed. */
export interface Config {
  impersonation?: ImpersonationSettings;
  mail?: Mail;
  lockout?: LockoutSettings;
  password?: PasswordSettings;
  sessions?: SessionSettings;
  tokens?: TokenSettings;
  urls?: UrlSettings;
  cors?: CorsSettings;
  mfa?: MfaSettings;
  version: number;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string | null;
}

/** What to change of the origins whose pages may call. The list that is given takes the place of the old one. */
export interface CorsChange {
  allowed_origins?: string[] | null;
}

/** The origins whose pages may call with a publishable key or an access token (the Fetch standard's CORS). */
export interface CorsSettings {
  allowed_origins?: string[];
}

/** What to change of impersonation. */
export interface ImpersonationChange {
  enabled?: boolean | null;
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  max_duration?: string | null;
  always_read_only?: boolean | null;
  notify_user?: boolean | null;
}

/** Whether there may be impersonations, how long one may last, whether each only looks, and is told to the user. */
export interface ImpersonationSettings {
  enabled?: boolean;
  max_duration?: string;
  always_read_only?: boolean;
  notify_user?: boolean;
}

/** What to change of the lock by failed sign-ins. */
export interface LockoutChange {
  enabled?: boolean | null;
  failures?: number | null;
  /** 1m to 24h */
  window?: string | null;
  /** 1m to 24h */
  lock_time?: string | null;
}

/** Whether failed sign-ins lock an address: so many within any stretch of `window`, for `lock_time`. */
export interface LockoutSettings {
  enabled?: boolean;
  failures?: number;
  window?: string;
  lock_time?: string;
}

/** How the tenant's mail looks. */
export interface Mail {
  sender_name?: string | null;
  reply_to?: string | null;
  templates?: OwnTemplates;
}

/** What to change of how mail looks. */
export interface MailChange {
  sender_name?: string | null;
  reply_to?: string | null;
  templates?: TemplatesChange | null;
}

/** What to change of who must have a second factor. `roles` count where `required` is roles. */
export interface MfaChange {
  required?: MfaRequirement | null;
  roles?: string[] | null;
  webauthn?: WebauthnChange | null;
}

/** Who must have a second factor. */
export type MfaRequirement = "all" | "off" | "roles";

/** Who must have a second factor: nobody, everybody, or users with one of `roles`; and whose passkeys are. */
export interface MfaSettings {
  required?: MfaRequirement;
  roles?: string[];
  webauthn?: WebauthnSettings;
}

/** The mails whose texts a tenant may write; null: every text is the built-in one. */
export interface OwnTemplates {
  email_already_registered?: OwnTexts | null;
  email_changed?: OwnTexts | null;
  email_verification?: OwnTexts | null;
  factor_added?: OwnTexts | null;
  factor_removed?: OwnTexts | null;
  impersonated?: OwnTexts | null;
  invitation?: OwnTexts | null;
  magic_link?: OwnTexts | null;
  organization_invitation?: OwnTexts | null;
  password_changed?: OwnTexts | null;
  password_reset?: OwnTexts | null;
  password_reset_forced?: OwnTexts | null;
}

/** Jinja2 sources in the place of a mail's built-in texts; null: the built-in one. */
export interface OwnTexts {
  subject?: string | null;
  text?: string | null;
  html?: string | null;
}

/** What to change of which passwords may be chosen. */
export interface PasswordChange {
  min_length?: number | null;
  max_length?: number | null;
  refuse_common?: boolean | null;
}

/** How long a new password must and may be, in characters, and whether those that are tried first are refused. */
export interface PasswordSettings {
  min_length?: number;
  max_length?: number;
  refuse_common?: boolean;
}

/** What to change of how long sessions last, and how many there may be. */
export interface SessionChange {
  /** 5m to 365d */
  idle_time?: string | null;
  /** 1h to 365d */
  lifetime?: string | null;
  max_per_user?: number | null;
}

/**
 * How long a session lasts unless it is refreshed, how long at all, and how many of a user's there may be.
 *
 * Null: no such end, and any number.
 */
export interface SessionSettings {
  idle_time?: string;
  lifetime?: string | null;
  max_per_user?: number | null;
}

/** What to change of which mails. */
export interface TemplatesChange {
  email_already_registered?: TextsChange | null;
  email_changed?: TextsChange | null;
  email_verification?: TextsChange | null;
  factor_added?: TextsChange | null;
  factor_removed?: TextsChange | null;
  impersonated?: TextsChange | null;
  invitation?: TextsChange | null;
  magic_link?: TextsChange | null;
  organization_invitation?: TextsChange | null;
  password_changed?: TextsChange | null;
  password_reset?: TextsChange | null;
  password_reset_forced?: TextsChange | null;
}

/** What to change of a mail's texts. */
export interface TextsChange {
  subject?: string | null;
  text?: string | null;
  html?: string | null;
}

/** What to change of how long tokens pass. */
export interface TokenChange {
  /** 1m to 1h */
  access_token_lifetime?: string | null;
}

/** How long the tokens pass that sessions are given. */
export interface TokenSettings {
  access_token_lifetime?: string;
}

/** What to change of the pages that mailed links open. */
export interface UrlChange {
  /** an https URL; http for localhost only */
  reset_url?: string | null;
  /** an https URL; http for localhost only */
  verification_url?: string | null;
  /** an https URL; http for localhost only */
  invitation_url?: string | null;
  /** an https URL; http for localhost only */
  magic_link_url?: string | null;
  /** an https URL; http for localhost only */
  organization_invitation_url?: string | null;
}

/** The application's own pages that mailed links open, with `token` added to their query; null: the built-in one. */
export interface UrlSettings {
  reset_url?: string | null;
  verification_url?: string | null;
  invitation_url?: string | null;
  magic_link_url?: string | null;
  organization_invitation_url?: string | null;
}

/** What to change of passkeys. Those that were made for another domain are of no use then. */
export interface WebauthnChange {
  /** a domain, such as example.com */
  rp_id?: string | null;
  origins?: string[] | null;
}

/** The domain that passkeys are bound to, and the origins that may use them. Without them there are no passkeys. */
export interface WebauthnSettings {
  rp_id?: string | null;
  origins?: string[];
}
