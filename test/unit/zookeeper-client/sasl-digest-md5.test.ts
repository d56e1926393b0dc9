import { describe, expect, it } from "vitest";
import { digestMd5, saslDigestMd5 } from "../../../src/zookeeper/client/sasl-digest-md5.js";

describe("DIGEST-MD5", () => {
  it("computes what the example of RFC 2831 (section 4, IMAP) shows", () => {
    expect(
      digestMd5({
        username: "chris",
        password: "secret",
        realm: "elwood.innosoft.com",
        nonce: "OA6MG9tEQGm2hh",
        cnonce: "OA6MHXh6VqTrRk",
        digestUri: "imap/elwood.innosoft.com",
      }),
    ).toEqual({ response: "d388dad90d4bbd760a152321f2143af7", rspauth: "ea40f60335c427b5527b84dbabcdfffd" });
  });

  it("refuses a server that cannot prove that it knows the password", async () => {
    const exchange = await saslDigestMd5({ username: "u", password: "p" }).sasl.start({ host: "zk1" });
    expect(await exchange.initial()).toHaveLength(0);
    const challenge = 'realm="r",nonce="n\\"x",qop="auth",charset=utf-8,algorithm=md5-sess';
    const answer = Buffer.from((await exchange.respond(Buffer.from(challenge)))!).toString();
    expect(answer).toContain('nonce="n\\"x"');
    expect(answer).toContain('username="u"');
    expect(() => exchange.respond(Buffer.from("rspauth=00"))).toThrow(/does not know the password/);
  });

  it("refuses a challenge of another mechanism", async () => {
    const exchange = await saslDigestMd5({ username: "u", password: "p" }).sasl.start({ host: "zk1" });
    expect(() => exchange.respond(Buffer.from("nonsense"))).toThrow(/DIGEST-MD5/);
  });
});
