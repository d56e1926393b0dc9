import { createHash, randomBytes } from "node:crypto";
import type { SaslAuth, SaslExchange } from "./auth.js";
import { AuthFailedError } from "./error-codes.js";

/** Whom to log in, and as what servers know themselves. */
export interface DigestMd5Options {
  readonly username: string;
  readonly password: string;
  /**
   * The service of the server's principal; with `host` it makes the digest-uri. ZooKeeper's servers check nothing of
   * it but the form: its own client sends these. Default `zookeeper`.
   */
  readonly service?: string | undefined;
  /** Default `zk-sasl-md5`, as ZooKeeper's servers are made with (`SaslServerPrincipal`, ZooKeeper 3.4 to 3.9). */
  readonly host?: string | undefined;
}

/** SASL with the mechanism DIGEST-MD5 (RFC 2831, quality of protection `auth`). */
export function saslDigestMd5(options: DigestMd5Options): SaslAuth {
  return { sasl: { start: () => new DigestMd5Exchange(options) } };
}

const empty = new Uint8Array(0);

class DigestMd5Exchange implements SaslExchange {
  readonly #options: DigestMd5Options;
  /** What the server must prove to know in its last message; undefined before our answer. */
  #expected: string | undefined;

  constructor(options: DigestMd5Options) {
    this.#options = options;
  }

  /** The server begins. */
  initial(): Uint8Array {
    return empty;
  }

  respond(challenge: Buffer): Uint8Array | undefined {
    const directives = parseDirectives(challenge.toString("utf8"));
    if (this.#expected === undefined) return this.#answer(directives);
    if (directives.get("rspauth") !== this.#expected) {
      throw new AuthFailedError("the server does not know the password it should check");
    }
    return undefined;
  }

  #answer(challenge: Map<string, string>): Uint8Array {
    const { username, password, service = "zookeeper", host = "zk-sasl-md5" } = this.#options;
    const nonce = challenge.get("nonce");
    if (nonce === undefined || challenge.get("algorithm") !== "md5-sess") {
      throw new AuthFailedError("the server's challenge is not one of DIGEST-MD5");
    }
    const realm = challenge.get("realm") ?? "";
    const cnonce = randomBytes(24).toString("base64");
    const digestUri = `${service}/${host}`;
    const proof = digestMd5({ username, password, realm, nonce, cnonce, digestUri });
    this.#expected = proof.rspauth;
    const directives = [
      "charset=utf-8",
      `username=${quote(username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      "nc=00000001",
      `cnonce=${quote(cnonce)}`,
      `digest-uri=${quote(digestUri)}`,
      "maxbuf=65536",
      `response=${proof.response}`,
      "qop=auth",
    ];
    return Buffer.from(directives.join(","), "utf8");
  }
}

interface DigestInput {
  readonly username: string;
  readonly password: string;
  readonly realm: string;
  readonly nonce: string;
  readonly cnonce: string;
  readonly digestUri: string;
}

/** The client's proof and the one to expect of the server (RFC 2831, 2.1.2.1 and 2.1.3), for the first use of a nonce. */
export function digestMd5(input: DigestInput): { response: string; rspauth: string } {
  const { username, password, realm, nonce, cnonce, digestUri } = input;
  const secret = md5(Buffer.from(`${username}:${realm}:${password}`, "utf8"));
  const a1 = md5(Buffer.concat([secret, Buffer.from(`:${nonce}:${cnonce}`, "utf8")])).toString("hex");
  const prove = (a2: string): string => {
    const hashed = md5(Buffer.from(a2, "utf8")).toString("hex");
    return md5(Buffer.from(`${a1}:${nonce}:00000001:${cnonce}:auth:${hashed}`, "utf8")).toString("hex");
  };
  return { response: prove(`AUTHENTICATE:${digestUri}`), rspauth: prove(`:${digestUri}`) };
}

/** Reads `name=value,name="quoted value"`; of a name that stands twice the first counts. */
function parseDirectives(text: string): Map<string, string> {
  const directives = new Map<string, string>();
  for (const [, name = "", quoted, plain] of text.matchAll(/([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]*))/g)) {
    if (!directives.has(name)) directives.set(name, quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  return directives;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function md5(bytes: Uint8Array): Buffer {
  return createHash("md5").update(bytes).digest();
}
