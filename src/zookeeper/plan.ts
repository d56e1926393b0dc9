import type { Check, Transaction } from "../core/driver.js";
import type { CreateMode, MultiOperation } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { conflict, hasChildren, isKey, type Node, revisionOf } from "./nodes.js";
import { ancestorsOf, guardOf } from "./paths.js";

type Write = Transaction["writes"][number];

/** The nodes that a transaction concerns, as they were read: those of its keys, all above them, and guards. */
export type NodeMap = ReadonlyMap<string, Node>;

/**
 * A transaction of the store as one of ZooKeeper's, for nodes in the state that was read. Where another state would need
 * other operations, the server refuses those planned here, and the plan is made again.
 */
export class Plan {
  /** Tests come first, as what is created changes the guards that they compare. */
  readonly #tests: MultiOperation[] = [];
  readonly #changes: MultiOperation[] = [];
  /** For each write, where in the changes its value is set; `undefined` for deletes. */
  readonly #setAt: (number | undefined)[] = [];
  /** For each write, whether it deletes a key that is there. */
  readonly deletes: boolean[] = [];
  readonly #ensemble: Ensemble;
  readonly #nodes: NodeMap;
  readonly #tested = new Set<string>();
  readonly #created = new Set<string>();
  readonly #raised = new Set<string>();
  /** The nodes above those of puts, which are there at the end. */
  readonly #needed: ReadonlySet<string>;

  /** Throws `KEY_EXISTS`, `KEY_MODIFIED` or `NOT_SUPPORTED` when the state does not allow it. */
  constructor(ensemble: Ensemble, { checks, writes }: Transaction, nodes: NodeMap) {
    this.#ensemble = ensemble;
    this.#nodes = nodes;
    const puts = writes.filter(({ type }) => type === "put");
    this.#needed = new Set(puts.flatMap(({ key }) => ancestorsOf(ensemble.paths.of(key))));
    for (const check of checks) this.#check(check);
    // Nodes before those below them: one may have to change before another can be made in it.
    const fromTheTop = [...writes.entries()].sort(([, left], [, right]) => left.key.length - right.key.length);
    for (const [at, write] of fromTheTop) {
      if (write.type === "put") this.#setAt[at] = this.#put(write);
      this.deletes[at] = write.type === "delete" && this.#delete(write);
    }
  }

  /** What to send; empty when nothing has to be done. */
  get operations(): readonly MultiOperation[] {
    return [...this.#tests, ...this.#changes];
  }

  /** Where in the operations the value of a write is set. */
  resultOf(write: number): number | undefined {
    const at = this.#setAt[write];
    return at === undefined ? undefined : at + this.#tests.length;
  }

  #check({ key, expected }: Check): void {
    const path = this.#ensemble.paths.of(key);
    const node = this.#nodes.get(path);
    const there = node !== undefined && isKey(node) && !this.#isLeftOver(node);
    const asExpected = expected === "absent" ? !there : there && revisionOf(node.stat) === expected.revision;
    if (!asExpected) throw conflict(key, expected);
    this.#stays(path, node);
  }

  /** A node of an earlier session of this store, that the server has not removed yet. */
  #isLeftOver({ stat }: NonNullable<Node>): boolean {
    return stat.isEphemeral && this.#ensemble.pastSessions.has(stat.ephemeralOwner);
  }

  /** The transaction fails unless the node is as it was read. */
  #stays(path: string, node: Node): void {
    if (this.#tested.has(path)) return;
    this.#tested.add(path);
    if (node === undefined) return this.#staysAbsent(path);
    this.#isSameNode(path);
    this.#tests.push({ type: "check", path, version: node.stat.version });
  }

  /** The transaction fails if another node was created at the path since it was read. */
  #isSameNode(path: string): void {
    const guard = guardOf(path);
    if (this.#tested.has(guard)) return;
    this.#tested.add(guard);
    // A guard that is not there yet fails the check, and is made then.
    const version = this.#nodes.get(guard)?.stat.version ?? 0;
    this.#tests.push({ type: "check", path: guard, version });
  }

  /** There is no check for that: the topmost node that is missing is created and deleted again. */
  #staysAbsent(path: string): void {
    const missing = [...ancestorsOf(path), path].find((each) => this.#nodes.get(each) === undefined)!;
    this.#tests.push({ type: "create", path: missing, acl: this.#ensemble.acl }, { type: "delete", path: missing });
  }

  /** Where in the changes its value is set. */
  #put({ key, value, ttlMs }: Extract<Write, { type: "put" }>): number {
    const path = this.#ensemble.paths.of(key);
    const node = this.#nodes.get(path);
    const mode = ttlMs === undefined ? "persistent" : "ephemeral";
    const replaced = node !== undefined && (mode === "ephemeral" || node.stat.isEphemeral);
    if (mode === "ephemeral" && this.#needed.has(path)) throw hasChildren(key);
    if (replaced) this.#replace(key, path, node, mode);
    else if (node === undefined) this.#create(path, mode);
    // Another node may have a ttl, which the value should not get.
    else this.#isSameNode(path);
    this.#changes.push({ type: "setData", path, data: value });
    return this.#changes.length - 1;
  }

  /** A node that exists does not become ephemeral or permanent: another takes its place. */
  #replace(key: string, path: string, { stat }: NonNullable<Node>, mode: CreateMode): void {
    if (stat.numChildren > 0) throw hasChildren(key);
    this.#changes.push({ type: "delete", path, version: stat.version });
    this.#createNode(path, mode);
  }

  #create(path: string, mode: CreateMode): void {
    for (const ancestor of ancestorsOf(path)) {
      if (this.#nodes.get(ancestor) === undefined && !this.#created.has(ancestor))
        this.#createNode(ancestor, "persistent");
    }
    this.#createNode(path, mode);
  }

  #createNode(path: string, mode: CreateMode): void {
    this.#created.add(path);
    this.#changes.push({ type: "create", path, mode, acl: this.#ensemble.acl });
    const guard = guardOf(path);
    if (!this.#raised.has(guard)) this.#changes.push({ type: "setData", path: guard, data: null });
    this.#raised.add(guard);
  }

  /** Whether there is a key to delete. */
  #delete({ key }: Write): boolean {
    const path = this.#ensemble.paths.of(key);
    const node = this.#nodes.get(path);
    if (node === undefined || !isKey(node)) {
      this.#stays(path, node);
      return false;
    }
    const { version, numChildren, isEphemeral } = node.stat;
    if (numChildren === 0 && !this.#needed.has(path)) this.#changes.push({ type: "delete", path });
    else if (isEphemeral) this.#replace(key, path, node, "persistent");
    // It stays as a directory for those below it.
    else this.#changes.push({ type: "setData", path, data: null, version });
    return true;
  }
}
