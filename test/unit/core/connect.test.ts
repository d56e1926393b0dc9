import { describe, expect, it } from "vitest";
import { ManagedStore } from "../../../src/core/managed-store.js";
import type { StoreUrl } from "../../../src/core/store-url.js";
import { connect, type ConnectTarget } from "../../../src/connect.js";
import { TestDriver } from "./support/test-driver.js";

describe("connect", () => {
  it("opens a store by URL and by name, with options from both", async () => {
    await using byUrl = await connect("memory:", { timeoutMs: 100 });
    expect(byUrl.backend).toBe("memory");
    await using byName = await connect({ backend: "memory" });
    expect((await byName.put("a", "1")).text()).toBe("1");
  });

  it.each([
    ["nosuch:thing", /no backend is called "nosuch"; there are .*bolt.*memory/],
    ["toString:thing", /no backend is called "tostring"/],
    [{ backend: "constructor" }, /no backend is called "constructor"/],
    ["memory:?nmae=x", /unknown in a memory: URL: nmae/],
    ["./app.db", /not a store's URL/],
    [undefined, /connect takes a URL/],
    [{}, /connect takes a URL/],
    [5, /connect takes a URL/],
  ])("%j is refused, and the message helps", async (target, message) => {
    await expect(connect(target as ConnectTarget)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(message),
    });
  });

  it("hands URL and options to a backend of the caller's own, and not the list of backends", async () => {
    const asked: { url: StoreUrl | undefined; options: object }[] = [];
    const backends = {
      mine: async (url: StoreUrl | undefined, options: object) => {
        asked.push({ url, options });
        return new ManagedStore(new TestDriver());
      },
    };
    await using byUrl = await connect("mine://h1,h2/p?x=1", { backends, timeoutMs: 7, own: "option" });
    await using byName = await connect({ backend: "mine", backends, own: "other" });
    expect(byUrl.backend).toBe("test");
    expect(byName.backend).toBe("test");
    expect(asked[0]!.url).toMatchObject({ scheme: "mine", hosts: ["h1", "h2"], path: "p" });
    expect(asked[0]!.options).toEqual({ timeoutMs: 7, own: "option" });
    expect(asked[1]).toEqual({ url: undefined, options: { own: "other" } });
  });

  it("lets a caller's backend stand in for a built-in one", async () => {
    const backends = { memory: () => Promise.resolve(new ManagedStore(new TestDriver())) };
    await using store = await connect("memory:", { backends });
    expect(store.backend).toBe("test");
  });

  it("does not show a password when there is no such backend", async () => {
    await expect(connect("nosuch://user:s3cr3t@h")).rejects.toMatchObject({
      message: expect.not.stringContaining("s3cr3t"),
    });
  });
});
