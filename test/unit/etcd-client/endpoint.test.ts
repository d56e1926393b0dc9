import { describe, expect, it } from "vitest";
import { parseEndpoint } from "../../../src/etcd/client/endpoint.js";

describe("parseEndpoint", () => {
  it.each([
    ["h1", false, "h1:2379", "h1", false],
    ["h1:99", true, "h1:99", "h1", true],
    ["http://h1:99", true, "h1:99", "h1", false],
    ["https://h1/", false, "h1:2379", "h1", true],
    ["127.0.0.1:1", false, "127.0.0.1:1", "127.0.0.1", false],
    ["[::1]:1", false, "[::1]:1", "::1", false],
    ["https://[fe80::1]", false, "[fe80::1]:2379", "fe80::1", true],
  ])("reads %s", (text, tls, name, host, isTls) => {
    expect(parseEndpoint(text, tls)).toEqual({
      name,
      host,
      port: Number(name.slice(name.lastIndexOf(":") + 1)),
      tls: isTls,
    });
  });

  it.each(["", "h1:", "h1:0", "h1:70000", "h1:x", "ftp://h1", "user:pw@h1", "h1/path", "::1", "h1,h2", "h 1"])(
    "refuses %s",
    (text) => {
      expect(() => parseEndpoint(text, false)).toThrow(TypeError);
    },
  );

  it("does not repeat a password", () => {
    expect(() => parseEndpoint("https://me:hush@h1:2379", true)).toThrow(/^(?!.*hush).*h1:2379/);
  });
});
