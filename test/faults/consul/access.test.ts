import { expect } from "vitest";
import { failureOf } from "../support/calls.js";
import { it, type Rig, withRig } from "./support.js";

const management = "11111111-2222-3333-4444-555555555555";

/** A token that may do what the rules say, and the way to give it more. */
async function createToken(rig: Rig, rules: string) {
  const policy = JSON.parse(
    (await rig.ask("PUT", "/v1/acl/policy", JSON.stringify({ Name: "kvasir", Rules: rules }))).text,
  );
  const created = await rig.ask("PUT", "/v1/acl/token", JSON.stringify({ Policies: [{ Name: "kvasir" }] }));
  const grant = async (more: string): Promise<void> => {
    const body = JSON.stringify({ Name: "kvasir", Rules: more });
    expect((await rig.ask("PUT", `/v1/acl/policy/${policy.ID}`, body)).status).toBe(200);
  };
  return { token: JSON.parse(created.text).SecretID as string, grant };
}

const some = 'session_prefix "" { policy = "write" } key_prefix "open/" { policy = "write" }';
const acl = { acl: { token: management } };

it("what a token may not do is denied, also in the midst of a batch, and done once it may", () =>
  withRig(async (rig) => {
    const admin = await rig.open({ token: management });
    await admin.put("shut/there", "secret");
    await admin.put("open/there", "1");
    const { token, grant } = await createToken(rig, some);
    const store = await rig.open({ token });
    const denied = { code: "PERMISSION_DENIED", outcome: "not-applied" };

    // In one transaction with what is allowed: the answers must not be mixed up.
    const [shut, allowed, absent] = await Promise.all([
      failureOf(store.get("shut/there")),
      store.get("open/there"),
      store.get("open/absent"),
    ]);
    expect([allowed?.key, allowed?.text(), absent]).toEqual(["open/there", "1", undefined]);
    expect(shut.code).toBe("PERMISSION_DENIED");

    const [, put, swapped, created, removed] = await Promise.all([
      store.put("open/2", "2"),
      failureOf(store.put("shut/2", "2")),
      failureOf(store.atomicPut("shut/there", "2", await admin.get("shut/there"))),
      failureOf(store.atomicPut("shut/new", "2", null)),
      failureOf(store.delete("shut/gone")),
    ]);
    for (const error of [put, swapped, created, removed]) expect(error).toMatchObject(denied);
    expect(await failureOf(store.deleteTree("shut"))).toMatchObject(denied);
    expect(await failureOf(store.put("shut/ttl", "1", { ttlMs: 5_000 }))).toMatchObject(denied);
    expect(await failureOf(store.atomic().put("shut/3", "1").put("open/3", "1").commit())).toMatchObject(denied);
    expect((await failureOf(store.newLock("shut/lock").lock())).code).toBe("PERMISSION_DENIED");
    const watch = store.watch("shut/there")[Symbol.asyncIterator]();
    expect((await failureOf(watch.next())).code).toBe("PERMISSION_DENIED");
    expect(await rig.sessions()).toEqual([]);
    expect((await admin.list("")).map(({ key }) => key)).toEqual(["open/2", "open/there", "shut/there"]);

    await grant(`${some} key_prefix "shut/" { policy = "write" }`);
    // Agents keep what they knew of a token for a moment.
    await expect
      .poll(() => store.get("shut/there").then((pair) => pair?.text(), String), { timeout: 40_000 })
      .toBe("secret");
    await store.put("shut/2", "2");
    const hold = await store.newLock("shut/lock").lock();
    await hold.unlock();
  }, acl));

it("the least that each call needs, each with nothing else", () =>
  withRig(async (rig) => {
    const admin = await rig.open({ token: management });
    await admin.put("d/k", "1");
    const { token, grant } = await createToken(rig, 'key "d/k" { policy = "read" }');
    const store = await rig.open({ token });
    const allowed = async (call: () => Promise<unknown>): Promise<void> => {
      await expect.poll(() => call().then(() => "done", String), { timeout: 40_000, interval: 100 }).toBe("done");
    };
    await store.ping();
    expect((await store.get("d/k"))?.text()).toBe("1");
    expect(await store.exists("d/k")).toBe(true);
    expect((await store.watch("d/k")[Symbol.asyncIterator]().next()).value?.text()).toBe("1");
    expect((await failureOf(store.put("d/k", "2"))).code).toBe("PERMISSION_DENIED");
    // What may not be read is left out.
    await admin.put("d/other", "1");
    expect(await store.keys("d")).toEqual(["d/k"]);
    await grant('key "d/k" { policy = "write" }');
    await allowed(() => store.put("d/k", "2"));
    const pair = await store.atomicPut("d/k", "3", await store.get("d/k"));
    await store.atomic().check("d/k", pair).put("d/k", "4").commit();
    expect(await store.delete("d/k")).toBe(true);
    expect((await failureOf(store.put("d/k", "1", { ttlMs: 10_000 }))).code).toBe("PERMISSION_DENIED");
    expect((await failureOf(store.deleteTree("d"))).code).toBe("PERMISSION_DENIED");
    await grant('key "d/k" { policy = "write" } session_prefix "" { policy = "write" }');
    await allowed(() => store.put("d/k", "1", { ttlMs: 10_000 }));
    await store.delete("d/k");
    await (await store.newLock("d/k").lock()).unlock();
    await grant('key_prefix "d/" { policy = "write" }');
    await allowed(() => store.deleteTree("d"));
  }, acl));

it("a token that nobody knows is refused when opening and says so", () =>
  withRig(async (rig) => {
    const error = await failureOf(rig.open({ token: "99999999-2222-3333-4444-555555555555" }));
    expect(error.code).toBe("UNAUTHENTICATED");
  }, acl));
