import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compareCreateRevision,
  compareModRevision,
  deleteRangeOp,
  EtcdClient,
  prefixEnd,
  putOp,
  rangeOp,
  txnOp,
} from "../../../src/etcd/client/index.js";
import {
  RangeRequest_SortOrder as Order,
  RangeRequest_SortTarget as Target,
} from "../../../src/etcd/client/generated/kv.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { bytes, failureOf, text, valueOf } from "./support/fixtures.js";

describe.each(["3.4", "3.5"])("calls to etcd %s", (version) => {
  let server: EtcdServer;
  let client: EtcdClient;

  beforeAll(async () => {
    server = await startEtcd({ version });
    client = new EtcdClient({ endpoints: [server.endpoint] });
  });
  afterAll(async () => {
    client?.close();
    await server?.close();
  });

  const put = (key: string, value: string) => client.kv.put({ key: bytes(key), value: bytes(value) });

  it("puts and reads one key with its revisions", async () => {
    const first = await put("one", "1");
    const second = await client.kv.put({ key: bytes("one"), value: bytes("2"), prevKv: true });
    expect(text(second.prevKv?.value)).toBe("1");
    const { kvs, count, header } = await client.kv.range({ key: bytes("one") });
    expect(count).toBe(1n);
    expect(kvs[0]).toMatchObject({
      createRevision: first.header?.revision,
      modRevision: second.header?.revision,
      version: 2n,
      lease: 0n,
    });
    expect(text(kvs[0]?.value)).toBe("2");
    expect(header?.revision).toBe(second.header?.revision);
  });

  it("carries every byte, and empty values", async () => {
    const value = Uint8Array.from({ length: 256 }, (_, at) => at);
    await client.kv.put({ key: value.slice(1), value });
    expect(new Uint8Array((await client.kv.range({ key: value.slice(1) })).kvs[0]!.value)).toEqual(value);
    await put("empty", "");
    expect(await valueOf(client, "empty")).toBe("");
  });

  it("encodes a request before the call returns", async () => {
    const key = bytes("reused");
    const value = bytes("before");
    const call = client.kv.put({ key, value });
    value.set(bytes("after!"));
    key.set(bytes("other!"));
    await call;
    expect(await valueOf(client, "reused")).toBe("before");
  });

  it("reads ranges by limit, revision, order, keys only and count only", async () => {
    for (const at of [1, 2, 3, 4]) await put(`r/${at}`, String(at));
    const range = { key: bytes("r/"), rangeEnd: prefixEnd(bytes("r/")) };
    const page = await client.kv.range({ ...range, limit: 2n });
    expect([page.kvs.map((kv) => text(kv.key)), page.more, page.count]).toEqual([["r/1", "r/2"], true, 4n]);
    await put("r/1", "later");
    const then = await client.kv.range({ ...range, revision: page.header!.revision });
    expect(then.kvs.map((kv) => text(kv.value))).toEqual(["1", "2", "3", "4"]);
    const keys = await client.kv.range({ ...range, keysOnly: true, sortOrder: Order.DESCEND, sortTarget: Target.MOD });
    expect(keys.kvs.map((kv) => [text(kv.key), kv.value.length])).toEqual([
      ["r/1", 0],
      ["r/4", 0],
      ["r/3", 0],
      ["r/2", 0],
    ]);
    const counted = await client.kv.range({ ...range, countOnly: true });
    expect([counted.count, counted.kvs]).toEqual([4n, []]);
    expect((await client.kv.range({ ...range, minModRevision: page.header!.revision + 1n })).kvs).toHaveLength(1);
    expect((await client.kv.range({ ...range, serializable: true })).kvs).toHaveLength(4);
  });

  it("deletes ranges and returns what was there", async () => {
    for (const key of ["d/1", "d/2", "dx"]) await put(key, key);
    const gone = await client.kv.deleteRange({ key: bytes("d/"), rangeEnd: prefixEnd(bytes("d/")), prevKv: true });
    expect([gone.deleted, gone.prevKvs.map((kv) => text(kv.key))]).toEqual([2n, ["d/1", "d/2"]]);
    expect((await client.kv.deleteRange({ key: bytes("d/1") })).deleted).toBe(0n);
    expect(await valueOf(client, "dx")).toBe("dx");
  });

  it("runs transactions, nested ones each with its own comparison", async () => {
    const { header } = await put("t/a", "1");
    const guarded = (key: string, revision: bigint, value: string) =>
      txnOp({
        compare: [compareModRevision(bytes(key), revision)],
        success: [putOp({ key: bytes(key), value: bytes(value) })],
        failure: [rangeOp({ key: bytes(key) })],
      });
    const { succeeded, responses } = await client.kv.txn({
      compare: [compareCreateRevision(bytes("t/none"), 0n)],
      success: [
        guarded("t/a", header!.revision, "2"),
        guarded("t/b", 7n, "never"),
        deleteRangeOp({ key: bytes("t/c") }),
      ],
      failure: [],
    });
    expect(succeeded).toBe(true);
    const nested = responses.map(({ response }) =>
      response?.$case === "responseTxn" ? response.responseTxn.succeeded : response?.$case,
    );
    expect(nested).toEqual([true, false, "responseDeleteRange"]);
    expect([await valueOf(client, "t/a"), await valueOf(client, "t/b")]).toEqual(["2", undefined]);
  });

  it("compacts, and says so when a compacted revision is asked for", async () => {
    const { header } = await put("c", "1");
    await put("c", "2");
    await client.kv.compact(header!.revision + 1n, { physical: true });
    const error = await failureOf(client.kv.range({ key: bytes("c"), revision: header!.revision }));
    expect(error).toMatchObject({ reason: "compacted", status: "OUT_OF_RANGE", endpoint: server.member.host });
  });

  it("reports the member and the cluster", async () => {
    const status = await client.maintenance.status();
    expect(status.version).toBe(server.version);
    const members = await client.maintenance.members();
    expect(members.map((member) => member.ID)).toEqual([status.header?.memberId]);
    expect(status.leader).toBe(members[0]?.ID);
    expect(await client.maintenance.alarm({ action: 0, memberID: 0n, alarm: 0 })).toMatchObject({ alarms: [] });
  });

  it("answers many calls at once, each with its own", async () => {
    await Promise.all(Array.from({ length: 200 }, (_, at) => put(`many/${at}`, String(at))));
    const read = await Promise.all(Array.from({ length: 200 }, (_, at) => valueOf(client, `many/${at}`)));
    expect(read).toEqual(Array.from({ length: 200 }, (_, at) => String(at)));
  });

  it("takes an answer of many megabytes", async () => {
    const value = new Uint8Array(1_000_000).fill(120);
    for (let at = 0; at < 8; at++) await client.kv.put({ key: bytes(`big/${at}`), value });
    const { kvs } = await client.kv.range({ key: bytes("big/"), rangeEnd: prefixEnd(bytes("big/")) });
    expect(kvs.map((kv) => kv.value.length)).toEqual(Array.from({ length: 8 }, () => 1_000_000));
  });
});
