import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EtcdClient, prefixEnd, putOp, WatchCreateRequest_FilterType } from "../../../src/etcd/client/index.js";
import { createProxy, type EtcdServer, startEtcd, type TcpProxy } from "../../servers/index.js";
import { bytes, eventually, somethingSent, text } from "./support/fixtures.js";
import { Recorder } from "./support/recorder.js";

describe.each(["3.4", "3.5"])("watches of etcd %s", (version) => {
  let server: EtcdServer;
  let link: TcpProxy;
  let direct: EtcdClient;
  let client: EtcdClient;

  beforeAll(async () => {
    server = await startEtcd({ version });
    direct = new EtcdClient({ endpoints: [server.endpoint] });
  });
  afterAll(async () => {
    direct?.close();
    await server?.close();
  });
  beforeEach(async () => {
    link = await createProxy(server.endpoint);
    client = new EtcdClient({
      endpoints: [link.host],
      watch: { progressIntervalMs: 400, progressTimeoutMs: 400 },
    });
  });
  afterEach(async () => {
    client.close();
    await link.close();
  });

  const put = (key: string, value: string) => direct.kv.put({ key: bytes(key), value: bytes(value) });
  const tree = (prefix: string) => ({ key: prefix, rangeEnd: prefixEnd(bytes(prefix)) });

  it("tells puts and deletions from now on, with the pair before when asked", async () => {
    await put("a/1", "old");
    const recorder = new Recorder(client, { ...tree("a/"), prevKv: true });
    const from = await recorder.created;
    const { header } = await put("a/1", "new");
    expect(header?.revision).toBe(from);
    await put("b/1", "elsewhere");
    await direct.kv.deleteRange({ key: bytes("a/1") });
    await eventually(() => recorder.seen).toEqual(["a/1=new", "-a/1"]);
    expect(recorder.events.map((event) => text(event.prevKv?.value))).toEqual(["old", "new"]);
    expect(recorder.revisions.at(-1)).toBe(from + 2n);
  });

  it("starts at a revision of the past", async () => {
    const { header } = await put("past", "1");
    await put("past", "2");
    const recorder = new Recorder(client, { key: "past", startRevision: header!.revision });
    await eventually(() => recorder.seen).toEqual(["past=1", "past=2"]);
    expect(await recorder.created).toBe(header!.revision);
  });

  it("leaves out filtered kinds", async () => {
    const recorder = new Recorder(client, { key: "f", filters: [WatchCreateRequest_FilterType.NOPUT] });
    await recorder.created;
    await put("f", "1");
    await direct.kv.deleteRange({ key: bytes("f") });
    await eventually(() => recorder.seen).toEqual(["-f"]);
  });

  it("refuses an impossible range for good, and leaves the others alone", async () => {
    const good = new Recorder(client, { key: "good" });
    const bad = new Recorder(client, { key: "z", rangeEnd: bytes("a") });
    await eventually(() => bad.errors).toHaveLength(1);
    expect(bad.errors[0]).toMatchObject({ reason: "invalid", outcome: "not-applied", endpoint: link.host });
    await good.created;
    await put("good", "1");
    await eventually(() => good.seen).toEqual(["good=1"]);
    expect([client.watcher.size, good.suspensions]).toEqual([1, 0]);
  });

  it("resumes after cuts without losing or repeating an event", async () => {
    const recorder = new Recorder(client, tree("cut/"));
    await recorder.created;
    const expected: string[] = [];
    for (let at = 0; at < 300; at++) {
      await put(`cut/${at % 7}`, `${at}`);
      expected.push(`cut/${at % 7}=${at}`);
      if (at % 60 !== 30) continue;
      // A cut finds a line only when the one before is over.
      await eventually(() => recorder.seen.length).toBe(at + 1);
      link.cut();
    }
    await eventually(() => recorder.seen.length).toBe(300);
    expect(recorder.seen).toEqual(expected);
    expect([recorder.suspensions, recorder.resumptions]).toEqual([5, 5]);
  });

  it("resumes from now on when nothing had happened yet", async () => {
    const recorder = new Recorder(client, { key: "quiet" });
    await recorder.created;
    link.refuse();
    link.cut();
    await eventually(() => recorder.suspensions).toBe(1);
    await put("quiet", "while away");
    await link.accept();
    await eventually(() => recorder.seen).toEqual(["quiet=while away"]);
  });

  it("notices a line that falls silent without a FIN, and resumes on another", async () => {
    const recorder = new Recorder(client, { key: "silent" });
    await recorder.created;
    await put("silent", "1");
    await eventually(() => recorder.seen).toHaveLength(1);
    const { accepted } = link;
    link.stall();
    await put("silent", "2");
    await eventually(() => recorder.suspensions).toBe(1);
    link.resume();
    await eventually(() => recorder.seen).toEqual(["silent=1", "silent=2"]);
    expect(link.accepted).toBeGreaterThan(accepted);
  });

  it("keeps an idle stream as long as the server answers", async () => {
    const recorder = new Recorder(client, { key: "idle" });
    await recorder.created;
    for (let asked = 0; asked < 4; asked++) {
      link.resetCount();
      await somethingSent(link);
    }
    await put("idle", "1");
    await eventually(() => recorder.seen).toEqual(["idle=1"]);
    expect([recorder.suspensions, link.accepted]).toEqual([0, 1]);
  });

  it("says which watch was overtaken by compaction while cut off; the others resume", async () => {
    const behind = new Recorder(client, { key: "behind" });
    await behind.created;
    link.refuse();
    link.cut();
    await eventually(() => behind.suspensions).toBe(1);
    await put("behind", "missed");
    const { header } = await put("other", "1");
    await direct.kv.compact(header!.revision);
    const ahead = new Recorder(client, { key: "other", startRevision: header!.revision });
    await link.accept();
    expect(await behind.compacted).toBe(header!.revision);
    await eventually(() => ahead.seen).toEqual(["other=1"]);
    expect([client.watcher.size, behind.seen, behind.errors]).toEqual([1, [], []]);
  });

  it("survives the server's restart", async () => {
    const recorder = new Recorder(client, tree("restart/"));
    await recorder.created;
    await put("restart/1", "before");
    await eventually(() => recorder.seen).toHaveLength(1);
    await server.member.restart();
    await put("restart/2", "after");
    await eventually(() => recorder.seen).toEqual(["restart/1=before", "restart/2=after"]);
  });

  it("puts answers that were cut up together again, also when the line is cut between two parts", async () => {
    const recorder = new Recorder(client, tree("big/"));
    await recorder.created;
    link.refuse();
    link.cut();
    // Parts are of 2 MiB, so that some end within a revision.
    const value = new Uint8Array(600_000).fill(120);
    const expected: string[] = [];
    for (let at = 0; at < 20; at++) {
      const success = ["a", "b"].map((name) => putOp({ key: bytes(`big/${at}${name}`), value }));
      await direct.kv.txn({ compare: [], success, failure: [] });
      expected.push(`big/${at}a`, `big/${at}b`);
    }
    await link.accept();
    link.resetCount();
    await eventually(() => link.count.toClient, 1).toBeGreaterThan(10_000_000);
    link.cut();
    await eventually(() => recorder.events.length).toBe(40);
    expect(recorder.events.map((event) => text(event.kv?.key))).toEqual(expected);
  });

  it("keeps watches apart while they come and go", async () => {
    const kept = Array.from({ length: 20 }, (_, at) => new Recorder(client, { key: `churn/${at}` }));
    const gone: Recorder[] = [];
    for (let round = 0; round < 20; round++) {
      const batch = Array.from({ length: 20 }, (_, at) => new Recorder(client, { key: `churn/${at}` }));
      // Some are cancelled before they were asked for, some before the answer, some after it.
      if (round % 2 === 0) await batch[10]!.created;
      for (const recorder of batch) recorder.cancel();
      gone.push(...batch);
    }
    await Promise.all(kept.map((recorder) => recorder.created));
    await Promise.all(kept.map((_, at) => put(`churn/${at}`, `${at}`)));
    await eventually(() => kept.map((recorder) => recorder.seen)).toEqual(kept.map((_, at) => [`churn/${at}=${at}`]));
    expect(gone.flatMap((recorder) => recorder.seen)).toEqual([]);
    expect(client.watcher.size).toBe(20);
    expect(link.accepted).toBe(1);
  });

  it("watches again after the last watch was cancelled and the stream closed", async () => {
    const first = new Recorder(client, { key: "again" });
    await first.created;
    first.cancel();
    const second = new Recorder(client, { key: "again" });
    await second.created;
    await put("again", "1");
    await eventually(() => second.seen).toEqual(["again=1"]);
    expect(first.seen).toEqual([]);
  });

  it("holds ten thousand watches on one connection", async () => {
    const count = 10_000;
    const counts = new Uint8Array(count);
    let created = 0;
    let total = 0;
    for (let at = 0; at < count; at++) {
      client.watcher.watch(
        { key: bytes(`many/${at}`) },
        {
          onCreated: () => (created += 1),
          onEvents: (events) => {
            counts[at]! += events.length;
            total += events.length;
          },
          onCompacted: () => {},
          onError: () => {},
        },
      );
    }
    await eventually(() => created).toBe(count);
    link.cut();
    for (let at = 0; at < count; at += 100) {
      const success = Array.from({ length: 100 }, (_, offset) => putOp({ key: bytes(`many/${at + offset}`) }));
      await direct.kv.txn({ compare: [], success, failure: [] });
    }
    await eventually(() => total).toBe(count);
    expect(counts.every((seen) => seen === 1)).toBe(true);
    expect(link.accepted).toBe(2);
  });
});

it("watches go on when the member they are on is killed or hangs", async () => {
  const server = await startEtcd({ cluster: 3 });
  const writer = new EtcdClient({ endpoints: [server.members[2]!.endpoint], timeoutMs: 20_000 });
  const client = new EtcdClient({
    endpoints: server.endpoints,
    watch: { progressIntervalMs: 500, progressTimeoutMs: 500 },
  });
  try {
    const recorder = new Recorder(client, { key: "k" });
    await recorder.created;
    const put = (value: string) => writer.kv.put({ key: bytes("k"), value: bytes(value) });
    await put("1");
    await eventually(() => recorder.seen).toEqual(["k=1"]);
    await server.members[0]!.kill();
    const unsure = await put("2").catch(() => put("2"));
    expect(unsure.header?.revision).toBeGreaterThan(0n);
    await eventually(() => recorder.seen.at(-1)).toBe("k=2");
    expect(client.state.endpoint).toBe(server.members[1]!.host);
    await server.members[0]!.start();
    server.members[1]!.pause();
    await put("3").catch(() => put("3"));
    await eventually(() => recorder.seen.at(-1)).toBe("k=3");
    expect(client.state.endpoint).not.toBe(server.members[1]!.host);
    server.members[1]!.resume();
  } finally {
    client.close();
    writer.close();
    await server.close();
  }
});
