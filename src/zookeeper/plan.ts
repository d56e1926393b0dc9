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

  /** Throws `KEY_EXISTS`, `KEY_MODIFIED` or `NOT_SUPPORTED` when the state does not allow it. */
  constructor(ensemble: Ensemble, { checks, writes }: Transaction, nodes: NodeMap) {
    this.#ensemble = ensemble;
    this.#nodes = nodes;
    for (const check of checks) this.#check(check);
    for (const write of writes) {
      this.#setAt.push(write.type === "put" ? this.#put(write) : this.#delete(write));
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
    const guard = guardOf(path);
    // A guard that is not there yet fails the check, and is made then.
    const version = this.#nodes.get(guard)?.stat.version ?? 0;
    if (!this.#tested.has(guard)) this.#tests.push({ type: "check", path: guard, version });
    this.#tested.add(guard);
    this.#tests.push({ type: "check", path, version: node.stat.version });
  }

  /** There is no check for that: the topmost node that is missing is created and deleted again. */
  #staysAbsent(path: string): void {
    const missing = [...ancestorsOf(path), path].find((each) => this.#nodes.get(each) === undefined)!;
    this.#tests.push({ type: "create", path: missing, acl: this.#ensemble.acl }, { type: "delete", path: missing });
  }

  #put(write: Extract<Write, { type: "put" }>): number {
    const path = this.#ensemble.paths.of(write.key);
    const node = this.#nodes.get(path);
    const replaced = write.ttlMs !== undefined || node?.stat.isEphemeral === true;
    if (replaced && node !== undefined) {
      if (node.stat.numChildren > 0) throw hasChildren(write.key);
      this.#changes.push({ type: "delete", path, version: node.stat.version });
    }
    if (replaced || node === undefined) this.#create(path, write.ttlMs === undefined ? "persistent" : "ephemeral");
    this.#changes.push({ type: "setData", path, data: write.value });
    this.deletes.push(false);
    return this.#changes.length - 1;
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

  #delete({ key }: Write): undefined {
    const path = this.#ensemble.paths.of(key);
    const node = this.#nodes.get(path);
    const there = node !== undefined && isKey(node);
    this.deletes.push(there);
    if (!there) this.#stays(path, node);
    else if (node.stat.numChildren === 0) this.#changes.push({ type: "delete", path });
    // It stays as a directory for those below it.
    else this.#changes.push({ type: "setData", path, data: null, version: node.stat.version });
  }
}
