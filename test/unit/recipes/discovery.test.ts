import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryStore, type MemoryStore } from "../../../src/bolt/memory.js";
import {
  createDiscovery,
  type Discovery,
  type Instance,
  type InvalidValueError,
  type Registration,
  type RegistrationState,
  type ServiceChange,
} from "../../../src/recipes/index.js";
import { waitUntil } from "../../servers/wait-until.js";

let runs = 0;
let store: MemoryStore;
/** Another client of the same data, which no outage of the first one touches. */
let other: MemoryStore;
let discovery: Discovery;

beforeEach(async () => {
  runs += 1;
  store = await createMemoryStore({ name: `discovery-${runs}` });
  other = await createMemoryStore({ name: `discovery-${runs}` });
  discovery = createDiscovery(store);
});

afterEach(async () => {
  await Promise.all([store.close(), other.close()]);
});

const web = { service: "web", address: "10.0.0.7", port: 8080 };

function reaches(registration: Registration, state: RegistrationState): Promise<true> {
  return waitUntil(`the registration is ${state}`, async () => registration.state === state && true, {
    timeoutMs: 5_000,
  });
}

const ids = (instances: readonly Instance[]): string[] => instances.map(({ id }) => id);

describe("register", () => {
  it("puts an entry that any program can read, and keeps it", async () => {
    const registration = await discovery.register({ ...web, id: "web-1", meta: { zone: "a" }, ttlMs: 5_000 });
    const { incarnation } = registration.instance;
    expect(registration).toMatchObject({ key: "services/web/web-1", state: "registered", ttlMs: 5_000 });
    expect((await store.get("services/web/web-1"))?.json()).toEqual({
      address: "10.0.0.7",
      port: 8080,
      meta: { zone: "a" },
      incarnation,
    });
    await store.advance(20_000);
    expect(await discovery.instances("web")).toEqual([
      { service: "web", id: "web-1", address: "10.0.0.7", port: 8080, meta: { zone: "a" }, incarnation },
    ]);
    await registration.deregister();
    expect(registration.state).toBe("closed");
    expect(await discovery.instances("web")).toEqual([]);
    expect(await store.exists("services/web/web-1")).toBe(false);
    await registration.deregister();
  });

  it("has address and port as the default id, and a directory of one's own", async () => {
    await discovery.register(web);
    await createDiscovery(store, { directory: "/app//services/" }).register({ ...web, address: "::1" });
    expect(await store.keys("")).toEqual(["app/services/web/[::1]:8080", "services/web/10.0.0.7:8080"]);
  });

  it.each([
    [{ service: "a/b" }, /service is one segment/],
    [{ service: "" }, /service is one segment/],
    [{ id: "a/b" }, /id is one segment/],
    [{ address: "" }, /address is a host/],
    [{ port: 65_536 }, /port is a whole number/],
    [{ port: 1.5 }, /port is a whole number/],
    [{ meta: { a: 1 } as never }, /meta is an object/],
    [{ ttlMs: 0 }, /ttlMs is a whole number/],
    [{ check: { type: "ftp" } as never }, /type is function, tcp or http/],
    [{ check: { type: "http" as const, url: "ftp://a" } }, /http or https/],
  ])("refuses %j", async (wrong, message) => {
    await expect(discovery.register({ ...web, id: "x", ...wrong })).rejects.toThrow(message);
    expect(await store.keys("")).toEqual([]);
    // The id is free again.
    await discovery.register({ ...web, id: "x" });
  });

  it("replaces an entry that a crash left behind, and tells a living one that it was replaced", async () => {
    const first = await discovery.register({ ...web, id: "x" });
    await expect(discovery.register({ ...web, id: "x" })).rejects.toThrow(/registered here already/);
    const replaced: (RegistrationState | undefined)[] = [];
    first.onStateChange(({ state, previous }) => replaced.push(previous, state));
    const second = await createDiscovery(other).register({ ...web, id: "x", port: 9090 });
    await reaches(first, "replaced");
    expect(replaced).toEqual(["registered", "replaced"]);
    await store.advance(60_000);
    expect(second.state).toBe("registered");
    expect(await discovery.instances("web")).toEqual([second.instance]);
    // The first one neither comes back nor takes the second one along.
    await first.deregister();
    expect(await discovery.instances("web")).toEqual([second.instance]);
    await second.deregister();
    await store.advance(60_000);
    expect(await discovery.instances("web")).toEqual([]);
  });

  it("rejects when the store does not take it, and leaves nothing behind that is renewed", async () => {
    store.failNext("put", { code: "TIMEOUT", outcome: "unknown" });
    await expect(discovery.register({ ...web, ttlMs: 5_000 })).rejects.toMatchObject({ code: "TIMEOUT" });
    await store.advance(6_000);
    expect(await store.keys("")).toEqual([]);
  });
});

describe("a registered instance", () => {
  it.each([
    ["deleted", () => other.delete("services/web/x")],
    ["deleted with its tree", () => other.deleteTree("services")],
    ["dropped by the server", () => other.loseLock("services/web/x")],
  ])("comes back when its entry was %s", async (_, remove) => {
    const registration = await discovery.register({ ...web, id: "x", ttlMs: 5_000 });
    const states: RegistrationState[] = [];
    registration.onStateChange(({ state }) => states.push(state));
    await remove();
    await waitUntil("it is back", async () => states.at(-1) === "registered", { timeoutMs: 2_000, intervalMs: 2 });
    expect(states).toEqual(["missing", "registered"]);
    await store.advance(20_000);
    expect(await discovery.instances("web")).toEqual([registration.instance]);
  });

  it("comes back after an outage in which its ttl ran out", async () => {
    const registration = await discovery.register({ ...web, id: "x", ttlMs: 5_000 });
    store.suspend();
    await store.advance(20_000);
    expect(await other.keys("services")).toEqual([]);
    await store.resume();
    await reaches(registration, "registered");
    await store.advance(20_000);
    expect(await discovery.instances("web")).toEqual([registration.instance]);
  });

  it("keeps its entry when its lease is lost while the entry is still there", async () => {
    const registration = await discovery.register({ ...web, id: "x", ttlMs: 5_000 });
    const left: string[] = [];
    const watching = (async () => {
      for await (const change of createDiscovery(other).watch("web")) left.push(...ids(change.left));
    })();
    store.suspend();
    // Given up for lost by its own clock, which is earlier than the server's.
    await store.advance(4_600);
    await reaches(registration, "missing");
    await store.resume();
    await reaches(registration, "registered");
    for (let step = 0; step < 10; step++) await store.advance(1_000);
    expect(left).toEqual([]);
    expect(await discovery.instances("web")).toEqual([registration.instance]);
    await other.close();
    await watching;
  });

  it("that was replaced never comes back, also not when its old lease is lost later", async () => {
    const first = await discovery.register({ ...web, id: "x", ttlMs: 5_000 });
    const second = await createDiscovery(other).register({ ...web, id: "x", ttlMs: 5_000 });
    await reaches(first, "replaced");
    store.suspend();
    await store.advance(6_000);
    await second.deregister();
    await store.resume();
    await store.advance(1_000);
    expect(await discovery.instances("web")).toEqual([]);
  });

  it("is taken away later when that is asked for during an outage, and never renewed again", async () => {
    const registration = await discovery.register({ ...web, id: "x", ttlMs: 60_000 });
    store.suspend();
    await expect(registration.deregister({ timeoutMs: 50 })).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(registration.state).not.toBe("closed");
    await store.resume();
    await reaches(registration, "closed");
    expect(await other.keys("")).toEqual([]);
  });

  it("is put again when a write failed whose outcome nobody knows", async () => {
    const registration = await discovery.register({ ...web, id: "x", ttlMs: 5_000 });
    const changes: string[] = [];
    const watching = (async () => {
      for await (const { left, joined } of createDiscovery(other).watch("web")) {
        changes.push(...ids(left).map((id) => `-${id}`), ...ids(joined).map((id) => `+${id}`));
      }
    })();
    await waitUntil("the watcher is there", async () => changes.length === 1, { timeoutMs: 2_000 });
    store.failNext("atomicPut", { code: "TIMEOUT", outcome: "unknown", applied: false });
    store.failNext("atomicPut", { code: "TIMEOUT", outcome: "unknown", applied: true });
    await other.delete("services/web/x");
    await reaches(registration, "missing");
    await reaches(registration, "registered");
    for (let step = 0; step < 10; step++) await store.advance(1_000);
    expect(await discovery.instances("web")).toEqual([registration.instance]);
    // It went when it was deleted, and not once more, as what nobody renews would.
    expect(changes).toEqual(["+x", "-x", "+x"]);
    await other.close();
    await watching;
  });

  it("ends with its store", async () => {
    const registration = await discovery.register({ ...web, id: "x" });
    await store.close();
    await reaches(registration, "closed");
    expect(await other.keys("")).toEqual([]);
  });
});

describe("a health check", () => {
  it("decides whether the entry is there", async () => {
    let healthy = false;
    const registration = await discovery.register({
      ...web,
      id: "x",
      check: { type: "function", run: () => healthy, intervalMs: 5 },
    });
    expect(registration.state).toBe("withdrawn");
    expect(await discovery.instances("web")).toEqual([]);
    const changes: string[] = [];
    registration.onStateChange(({ state, reason }) => changes.push(`${state} ${reason?.message}`));
    healthy = true;
    await reaches(registration, "registered");
    expect(await discovery.instances("web")).toHaveLength(1);
    healthy = false;
    await reaches(registration, "withdrawn");
    expect(await discovery.instances("web")).toEqual([]);
    expect(changes).toEqual(["registered undefined", "withdrawn the health check gave false"]);
    await registration.deregister();
    expect(registration.state).toBe("closed");
  });

  it("takes over what a crash left behind when it succeeds at last, but not from one that came meanwhile", async () => {
    await other.put("services/web/x", '{"address":"old","port":1}');
    let healthy = false;
    const check = { type: "function" as const, run: () => healthy, intervalMs: 5 };
    const registration = await discovery.register({ ...web, id: "x", check });
    healthy = true;
    await reaches(registration, "registered");
    healthy = false;
    await reaches(registration, "withdrawn");
    const successor = await createDiscovery(other).register({ ...web, id: "x" });
    await reaches(registration, "replaced");
    healthy = true;
    expect(await discovery.instances("web")).toEqual([successor.instance]);
  });
});

describe("instances, services and watch", () => {
  it("read what other programs wrote, and report what is no instance", async () => {
    const errors: InvalidValueError[] = [];
    const reading = createDiscovery(other, { onInvalid: (error) => errors.push(error) });
    await store.put("services/web/go", '{"address":"10.0.0.9","port":80,"weight":3}');
    await store.put("services/web/bad", '{"address":"","port":"80","meta":[]}');
    await store.put("services/web/text", "10.0.0.9:80");
    await store.put("services/web/deep/er", '{"address":"a","port":1}');
    await store.put("services/db/a", '{"address":"a","port":1}');
    await store.put("services/stray", "x");
    expect(await reading.instances("web")).toEqual([
      { service: "web", id: "go", address: "10.0.0.9", port: 80, meta: {}, incarnation: "" },
    ]);
    expect(errors.map(({ key, issues }) => `${key} ${issues.length}`)).toEqual([
      "services/web/bad 3",
      "services/web/text 1",
    ]);
    expect(await reading.services()).toEqual(["db", "web"]);
    for await (const { instances } of reading.watch("web")) {
      expect(ids(instances)).toEqual(["go"]);
      break;
    }
  });

  it("tell who joined, left and changed, and nothing when an entry was put again as it was", async () => {
    const first = await discovery.register({ ...web, id: "b" });
    const watch = discovery.watch("web")[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { instances, joined, left, changed } = (await watch.next()).value as ServiceChange;
      return `${ids(instances).join()} | +${ids(joined).join()} -${ids(left).join()} ~${ids(changed).join()}`;
    };
    expect(await next()).toBe("b | +b - ~");
    const same = await store.get(first.key);
    await store.put(first.key, same!.value);
    const second = await discovery.register({ ...web, id: "a" });
    expect(await next()).toBe("a,b | +a - ~");
    await createDiscovery(other).register({ ...web, id: "b", meta: { zone: "b" } });
    expect(await next()).toBe("a,b | + - ~b");
    await second.deregister();
    expect(await next()).toBe("b | + -a ~");
    await watch.return?.();
  });
});

describe("pick", () => {
  async function three(): Promise<Registration[]> {
    return Promise.all(["a", "b", "c"].map((id) => discovery.register({ ...web, id })));
  }

  it("goes round, and keeps its place when instances come and go", async () => {
    const registrations = await three();
    const picked = async (): Promise<string | undefined> => (await discovery.pick("web"))?.id;
    expect([await picked(), await picked(), await picked(), await picked()]).toEqual(["a", "b", "c", "a"]);
    await registrations[1]!.deregister();
    await waitUntil("b is gone", async () => (await picked()) === "c" && (await picked()) === "a", {
      timeoutMs: 2_000,
    });
    expect([await picked(), await picked()]).toEqual(["c", "a"]);
    expect(await discovery.pick("nobody")).toBeUndefined();
  });

  it("at random reaches everybody", async () => {
    await three();
    const seen = new Set<string | undefined>();
    for (let times = 0; times < 200; times++) seen.add((await discovery.pick("web", "random"))?.id);
    expect(seen).toEqual(new Set(["a", "b", "c"]));
    await expect(discovery.pick("web", "best" as never)).rejects.toThrow(/a strategy is/);
  });

  it("avoids who failed, then takes who failed longest ago, and forgets after a while", async () => {
    const patient = createDiscovery(store, { failureMemoryMs: 300 });
    await three();
    const picked = async (): Promise<Instance> => (await patient.pick("web", "least-recently-failed"))!;
    const [a, b] = [await picked(), await picked()];
    patient.reportFailure(a);
    const failedAt = performance.now();
    expect(new Set(ids([await picked(), await picked(), await picked(), await picked()]))).toEqual(new Set(["b", "c"]));
    await waitUntil("the clock moves", async () => performance.now() > failedAt + 5, {
      timeoutMs: 1_000,
      intervalMs: 1,
    });
    patient.reportFailure(b);
    for (const each of await discovery.instances("web")) if (each.id === "c") patient.reportFailure(each);
    expect((await picked()).id).toBe("a");
    expect((await picked()).id).toBe("a");
    await waitUntil("everything is forgotten", async () => performance.now() > failedAt + 400, { timeoutMs: 2_000 });
    expect(new Set(ids([await picked(), await picked(), await picked()]))).toEqual(new Set(["a", "b", "c"]));
  });

  it("answers from memory during an outage", async () => {
    await three();
    await discovery.pick("web");
    store.suspend();
    expect((await discovery.pick("web"))?.id).toBe("b");
  });
});

describe("close", () => {
  it("deregisters everything, and leaves the store open", async () => {
    await Promise.all(["a", "b"].map((id) => discovery.register({ ...web, id })));
    await discovery.pick("web");
    await discovery.close();
    expect(await other.keys("")).toEqual([]);
    await expect(discovery.register(web)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(discovery.pick("web")).rejects.toMatchObject({ code: "CLOSED" });
    expect(await store.exists("a")).toBe(false);
  });
});
