import { describe, expect, it } from "vitest";
import { StoreUrl } from "../../../src/core/store-url.js";
import { connectEtcd2, etcd2OptionsFromUrl } from "../../../src/etcd2/index.js";
import { endpointList, loadTls } from "../../../src/etcd2/options.js";

describe("where an etcd2 store finds its members", () => {
  it.each([
    ["h1", ["http://h1:2379"]],
    ["h1:1,h2", ["http://h1:1", "http://h2:2379"]],
    ["[::1],[::1]:4", ["http://[::1]:2379", "http://[::1]:4"]],
    ["https://h1/, http://h2:80", ["https://h1:2379", "http://h2:80"]],
  ])("%s", (endpoints, urls) => expect(endpointList({ endpoints })).toEqual(urls));

  it("by TLS where it is asked for", () => {
    expect(endpointList({ endpoints: ["h1", "http://h2"], tls: true })).toEqual(["https://h1:2379", "http://h2:2379"]);
    expect(endpointList({ endpoints: "h", tls: { ca: "PEM" } })).toEqual(["https://h:2379"]);
    expect(endpointList({ endpoints: "h", tls: false })).toEqual(["http://h:2379"]);
  });

  it.each([[""], [[]], ["h:port"], ["ftp://h"], ["user:secret@h"], ["h/path"], [undefined], [[7]]])(
    "refuses %j without repeating it",
    async (endpoints) => {
      const opening = connectEtcd2({ endpoints: endpoints as string });
      await expect(opening).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(opening).rejects.not.toThrow("secret");
    },
  );
});

describe("what a URL says", () => {
  it("hosts, prefix, user and how often watches are checked", () => {
    expect(etcd2OptionsFromUrl(new StoreUrl("etcd2://u:p%40@h1,h2:1/some/app?watchCheckMs=500"))).toMatchObject({
      endpoints: ["h1", "h2:1"],
      prefix: "some/app",
      auth: { username: "u", password: "p@" },
      watchCheckMs: 500,
      tls: undefined,
    });
    expect(etcd2OptionsFromUrl(new StoreUrl("etcd2://h"))).toMatchObject({ prefix: undefined, auth: undefined });
  });

  it("certificates are for TLS, and files that are not there are named", async () => {
    const options = etcd2OptionsFromUrl(new StoreUrl("etcd2s://h?caFile=/no/such.pem"));
    expect(options.endpoints).toEqual(["https://h"]);
    await expect(loadTls({ endpoints: "h", tls: options.tls })).rejects.toThrow("caFile");
    expect(() => etcd2OptionsFromUrl(new StoreUrl("etcd2://h?caFile=ca.pem"))).toThrow("etcd2s:");
  });
});
