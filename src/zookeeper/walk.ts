import {
  type DataReply,
  errorFromCode,
  type MultiReadOperation,
  type MultiReadResult,
  NoNodeError,
  ReadFailure,
  type RequestOptions,
} from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { childOf } from "./paths.js";

/** So many reads travel in one request: the server answers others between them. */
const readsPerRequest = 128;
/** So many requests are under way at once, of which each answer may be as large as its values are. */
const requestsAtOnce = 16;

/** A node that a walk came to. */
export interface Visited {
  readonly path: string;
  readonly node: DataReply;
  /** Whether there is something below that walks do not enter: a lock's queue, or the server's own tree. */
  hasHidden: boolean;
}

/**
 * Reads everything below a node, without the node itself, breadth first: many nodes in a request and many requests at
 * once, so that it takes about two round trips for each level of the tree, or for the first `levels`. What vanishes
 * meanwhile is left out.
 */
export function walk(
  ensemble: Ensemble,
  root: string,
  bounds: RequestOptions,
  levels = Number.POSITIVE_INFINITY,
): Promise<Visited[]> {
  return new Walk(ensemble, bounds, levels + levelOf(root)).from(root);
}

/** How far a node is from the root. */
function levelOf(path: string): number {
  let level = path === "/" ? 0 : 1;
  for (let at = path.indexOf("/", 1); at !== -1; at = path.indexOf("/", at + 1)) level++;
  return level;
}

class Walk {
  readonly #ensemble: Ensemble;
  readonly #bounds: RequestOptions;
  readonly #lastLevel: number;
  readonly #visited: Visited[] = [];
  /** Nodes whose data is to be read, and those whose children. */
  #unread: string[] = [];
  #unlisted: { readonly path: string; readonly visited: Visited | undefined }[] = [];
  #underWay = 0;
  #settle!: { resolve(visited: Visited[]): void; reject(reason: unknown): void };
  #failed = false;

  constructor(ensemble: Ensemble, bounds: RequestOptions, lastLevel: number) {
    this.#ensemble = ensemble;
    this.#bounds = bounds;
    this.#lastLevel = lastLevel;
  }

  from(root: string): Promise<Visited[]> {
    this.#unlisted.push({ path: root, visited: undefined });
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#send();
    });
  }

  #send(): void {
    while (!this.#failed && this.#underWay < requestsAtOnce) {
      if (this.#unlisted.length > 0) {
        const listed = this.#unlisted.splice(0, readsPerRequest);
        this.#ask(listed, "getChildren", (at, result) => this.#onChildren(listed[at]!, result));
      } else if (this.#unread.length > 0) {
        const read = this.#unread.splice(0, readsPerRequest).map((path) => ({ path }));
        this.#ask(read, "getData", (at, result) => this.#onData(read[at]!.path, result));
      } else {
        break;
      }
    }
    if (this.#underWay === 0 && !this.#failed) this.#settle.resolve(this.#visited);
  }

  #ask(
    nodes: readonly { readonly path: string }[],
    type: MultiReadOperation["type"],
    onResult: (at: number, result: MultiReadResult) => void,
  ): void {
    this.#underWay++;
    const reads = nodes.map(({ path }) => ({ type, path }));
    this.#ensemble.client
      .multiRead(reads, this.#bounds)
      .then((results) => {
        this.#underWay--;
        for (const [at, result] of results.entries()) onResult(at, result);
        this.#send();
      })
      .catch((error: unknown) => {
        this.#failed = true;
        this.#settle.reject(error);
      });
  }

  #onChildren({ path, visited }: { path: string; visited: Visited | undefined }, result: MultiReadResult): void {
    if (isGone(result, path) || !("children" in result)) return;
    for (const name of result.children) {
      if (!this.#ensemble.paths.isHidden(name, path)) this.#unread.push(childOf(path, name));
      else if (visited !== undefined) visited.hasHidden = true;
    }
  }

  #onData(path: string, result: MultiReadResult): void {
    if (isGone(result, path) || !("stat" in result)) return;
    const visited = { path, node: result, hasHidden: false };
    this.#visited.push(visited);
    if (result.stat.numChildren > 0 && levelOf(path) < this.#lastLevel) this.#unlisted.push({ path, visited });
  }
}

/** Whether the node is not there (any more); throws what else the server had against the read. */
function isGone(result: MultiReadResult, path: string): boolean {
  if (!(result instanceof ReadFailure)) return false;
  if (result.code === NoNodeError.code) return true;
  throw errorFromCode(result.code, { operation: "read", path });
}
