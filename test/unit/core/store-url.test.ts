import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactUrl, StoreUrl } from "../../../src/core/store-url.js";

describe("the parts of a URL", () => {
  it.each([
    ["bolt:./data/app.db", { scheme: "bolt", hosts: [], path: "./data/app.db" }],
    ["bolt:/var/app.db", { scheme: "bolt", hosts: [], path: "/var/app.db" }],
    ["bolt:///var/app.db", { scheme: "bolt", hosts: [], path: "/var/app.db" }],
    ["memory:", { scheme: "memory", hosts: [], path: "" }],
    ["memory:name", { scheme: "memory", hosts: [], path: "name" }],
    ["etcd://h1:2379,h2:2380/some/prefix", { scheme: "etcd", hosts: ["h1:2379", "h2:2380"], path: "some/prefix" }],
    ["ETCDS://[::1]:2379", { scheme: "etcds", hosts: ["[::1]:2379"], path: "" }],
    ["zk://a,b,c", { scheme: "zk", hosts: ["a", "b", "c"], path: "" }],
    ["bolt:my%20file%25.db", { scheme: "bolt", hosts: [], path: "my file%.db" }],
    ["consul://u%40x:p%3Aw%2F@h:1/", { scheme: "consul", user: "u@x", password: "p:w/", hosts: ["h:1"], path: "" }],
    ["consul://only@h", { user: "only", password: undefined, hosts: ["h"] }],
    ["consul://u:p@ss@h", { user: "u", password: "p@ss", hosts: ["h"] }],
    ["consul://u:a:b@h", { user: "u", password: "a:b", hosts: ["h"] }],
  ])("%s", (text, parts) => expect(new StoreUrl(text)).toMatchObject(parts));

  it("gives any user and password back as they were", () => {
    const word = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(word, word, (user, password) => {
        const url = new StoreUrl(`etcd://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h:1/p`);
        expect(url).toMatchObject({ user, password, hosts: ["h:1"], path: "p" });
      }),
    );
  });

  it.each(["", "no-scheme", "./app.db", "://host", "1http://x", "a b:c"])("%j is refused", (text) => {
    expect(() => new StoreUrl(text)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("options", () => {
  it("are read as text, number and flag", () => {
    const url = new StoreUrl("bolt:a?bucket=my%20own&pageSize=4096&shared&readOnly=false&x=1");
    expect(url.text("bucket")).toBe("my own");
    expect(url.number("pageSize")).toBe(4_096);
    expect(url.flag("shared")).toBe(true);
    expect(url.flag("readOnly")).toBe(false);
    expect(url.flag("x")).toBe(true);
    expect(url.flag("absent")).toBeUndefined();
    expect(url.number("absent")).toBeUndefined();
  });

  it.each(["?n=", "?n=abc", "?n=%20"])("%s is no number", (query) => {
    expect(() => new StoreUrl(`bolt:a${query}`).number("n")).toThrow(/not a number/);
  });

  it("yes is neither true nor false", () => {
    expect(() => new StoreUrl("bolt:a?f=yes").flag("f")).toThrow(/neither true nor false/);
  });

  it("that nobody asked for are refused, with those that there are", () => {
    const url = new StoreUrl("bolt:a?bukcet=x&shared=true");
    url.flag("shared");
    url.text("bucket");
    expect(() => url.refuseUnknown()).toThrow(/bukcet; it knows bucket, shared/);
  });
});

describe("passwords", () => {
  const secret = "s3cr3t";
  it.each([
    `etcd://user:${secret}@h1:2379,h2:2379/p`,
    `etcd://${secret}@h1`,
    `etcd://user:${secret}@more@h1`,
    `ETCDS://user:${secret}@h/p?x=1`,
    `etcd://user:a/${secret}@h1`,
    `etcd://user:a?${secret}#@h1`,
  ])("of %s are not in what people are shown", (text) => {
    expect(redactUrl(text)).not.toContain(secret);
    expect(redactUrl(text)).toContain("***@h");
  });

  it.each([`etcd://user:${secret}%zz@h1`, `etcd://user:${secret}@h1/%`, `etcd://user:${secret}@h/p#fragment`])(
    "are not in the error of %s",
    (text) => {
      expect(() => new StoreUrl(text)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.not.stringContaining(secret) }),
      );
    },
  );

  it("a bad % is explained", () => {
    expect(() => new StoreUrl("bolt:100%.db")).toThrow(/write it as %25/);
  });
});
