import { createHash } from "node:crypto";
import type { JuteReader, JuteWriter } from "./codec.js";

/** Bits of an ACL entry's `permissions` (`ZooDefs.Perms`). */
export const permissions = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

/** Who may do what with a node. */
export interface Acl {
  /** Bits of `permissions`. */
  readonly permissions: number;
  /** `world`, `auth`, `digest`, `ip`, `x509`, `sasl`, or what else the servers know. */
  readonly scheme: string;
  /** Whom, in the words of the scheme: `anyone`, `user:hash`, `10.0.0.0/8`, … */
  readonly id: string;
}

/** Everybody may do everything: the default. */
export const openAcl: readonly Acl[] = [{ permissions: permissions.all, scheme: "world", id: "anyone" }];
/** Everybody may read. */
export const readAcl: readonly Acl[] = [{ permissions: permissions.read, scheme: "world", id: "anyone" }];
/** Whoever the creating connection has authenticated as may do everything. */
export const creatorAcl: readonly Acl[] = [{ permissions: permissions.all, scheme: "auth", id: "" }];

/** The id of a `digest` ACL entry: the user's name and the Base64 of SHA-1 over `user:password`. */
export function digestId(user: string, password: string): string {
  return `${user}:${createHash("sha1").update(`${user}:${password}`).digest("base64")}`;
}

export function writeAcl(writer: JuteWriter, acl: Acl): void {
  writer.int(acl.permissions);
  writer.string(acl.scheme);
  writer.string(acl.id);
}

export function readAclEntry(reader: JuteReader): Acl {
  return { permissions: reader.int(), scheme: reader.string(), id: reader.string() };
}
