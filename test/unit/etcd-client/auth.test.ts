import { describe, expect, it } from "vitest";
import { TokenSource } from "../../../src/etcd/client/auth.js";
import { createDeferred } from "../../../src/util/deferred.js";

describe("TokenSource", () => {
  it("asks once for all who wait, and again when the token was refused", async () => {
    const asked: ReturnType<typeof createDeferred<string>>[] = [];
    const tokens = new TokenSource(() => {
      asked.push(createDeferred<string>());
      return asked.at(-1)!.promise;
    });
    expect(tokens.current).toBeUndefined();
    const waiting = [tokens.obtain(), tokens.obtain()];
    asked[0]!.resolve("first");
    const [one, other] = await Promise.all(waiting);
    expect(one).toBe(other);
    expect(one!.plain).toEqual({ token: "first" });
    expect(one!.withLeader).toEqual({ token: "first", hasleader: "true" });
    expect(await tokens.obtain()).toBe(one);
    expect(asked).toHaveLength(1);

    tokens.invalidate(one!);
    const renewed = tokens.obtain();
    asked[1]!.resolve("second");
    const second = await renewed;
    // A late complaint about the first token does not cost the second.
    tokens.invalidate(one!);
    expect(tokens.current).toBe(second);
    expect(asked).toHaveLength(2);
  });

  it("tells everyone who waits of a failure, and asks anew for the next", async () => {
    let attempts = 0;
    const tokens = new TokenSource(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error("no");
      return undefined;
    });
    const results = await Promise.allSettled([tokens.obtain(), tokens.obtain()]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
    expect((await tokens.obtain()).withLeader).toEqual({ hasleader: "true" });
    expect(attempts).toBe(2);
  });
});
