import { expect } from "vitest";
import { blockingConnections } from "../../../src/consul/client/http.js";
import { it, withRig } from "./support.js";

/** Calls of a store share this many connections at most. */
const callConnections = 8;

it("500 watches of sibling keys share a few connections, and each change arrives", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const keys = Array.from({ length: 500 }, (_, at) => `service/${at}`);
    const watches = keys.map((key) => store.watch(key)[Symbol.asyncIterator]());
    for (const { value } of await Promise.all(watches.map((watch) => watch.next()))) expect(value).toBeUndefined();
    expect(rig.proxy.connections).toBeLessThanOrEqual(callConnections + 5);
    const changes = watches.map((watch) => watch.next());
    await Promise.all(keys.map((key) => store.put(key, `of ${key}`)));
    for (const [at, { value }] of (await Promise.all(changes)).entries()) {
      expect(value).toMatchObject({ key: keys[at] });
      expect(value!.text()).toBe(`of ${keys[at]}`);
    }
    const gone = watches.map((watch) => watch.next());
    await store.deleteTree("service");
    for (const { value } of await Promise.all(gone)) expect(value).toBeUndefined();
    expect(rig.proxy.connections).toBeLessThanOrEqual(callConnections + 5);
    await Promise.all(watches.map((watch) => watch.return!()));
    // Connections that nobody uses are closed after some seconds; a query ends by itself after 21.25 s at the latest.
    await expect.poll(() => rig.proxy.connections, { timeout: 40_000 }).toBe(0);
  }));

it("more directories than the budget of connections take turns, and each change arrives", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const directories = Array.from({ length: blockingConnections * 2 + 22 }, (_, at) => `d${at}`);
    const watches = directories.map((directory) => store.watchTree(directory)[Symbol.asyncIterator]());
    await Promise.all(watches.map((watch) => watch.next()));
    for (const round of ["1", "2"]) {
      const changes = watches.map((watch) => watch.next());
      await Promise.all(directories.map((directory) => store.put(`${directory}/k`, round)));
      for (const { value } of await Promise.all(changes)) expect(value?.pairs[0]?.text()).toBe(round);
      expect(rig.proxy.connections).toBeLessThanOrEqual(callConnections + blockingConnections);
    }
    // One at a time: the others stay quiet, and yet those that have no connection get their turns.
    for (const at of [149, 110, 80, 40, 0]) {
      const change = watches[at]!.next();
      const start = performance.now();
      await store.put(`d${at}/k`, "alone");
      expect((await change).value?.pairs[0]?.text()).toBe("alone");
      expect(performance.now() - start).toBeLessThan(8_000);
    }
  }));

it("100 waiters for locks and 100 watches stay within the budget, and a lock still changes hands", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const holds = await Promise.all(
      Array.from({ length: 100 }, (_, at) => direct.newLock(`lock/${at}`, { ttlMs: 60_000 }).lock()),
    );
    const waiters = holds.map(({ key }) => store.newLock(key, { ttlMs: 60_000 }).lock());
    const watches = holds.map((_, at) => store.watchTree(`t${at}`)[Symbol.asyncIterator]());
    await Promise.all(watches.map((watch) => watch.next()));
    await expect.poll(() => rig.sessions(), { timeout: 20_000 }).toHaveLength(200);
    expect(rig.proxy.connections).toBeLessThanOrEqual(callConnections + blockingConnections);
    for (const hold of holds) await hold.unlock();
    const taken = await Promise.all(waiters);
    expect(taken.every(({ held }) => held)).toBe(true);
    await store.close();
    expect(await rig.sessions()).toEqual([]);
  }));
