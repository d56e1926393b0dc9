import { NoNodeError } from "./error-codes.js";
import { ZooKeeperError } from "./errors.js";
import { type MultiReadOperation, type MultiReadResult, ReadFailure } from "./multi.js";
import type { ChildrenReply, DataReply } from "./operations.js";
import type { RequestOptions } from "./request.js";
import type { SessionState } from "./session-state.js";

/** The calls that stand in for newer ones. */
interface OlderCalls {
  readonly state: SessionState;
  getData(path: string, options?: RequestOptions): Promise<DataReply>;
  getChildren(path: string, options?: RequestOptions): Promise<ChildrenReply>;
}

/** What `multiRead` answers, read one by one on the pipeline. */
export function readOneByOne(
  client: OlderCalls,
  operations: readonly MultiReadOperation[],
  options: RequestOptions | undefined,
): Promise<MultiReadResult[]> {
  const asFailure = (error: unknown): ReadFailure => {
    // Codes from -100 down are about the node; the others are about the request as a whole.
    if (error instanceof ZooKeeperError && error.code < -100) return new ReadFailure(error.code);
    throw error;
  };
  return Promise.all(
    operations.map(({ type, path }) => {
      const read: Promise<MultiReadResult> =
        type === "getData" ? client.getData(path, options) : client.getChildren(path, options);
      return read.catch(asFailure);
    }),
  );
}

/** Visits everything below a node, level by level, each level's nodes asked for together. */
async function walk(
  client: OlderCalls,
  root: string,
  options: RequestOptions | undefined,
  visit: (path: string, reply: ChildrenReply) => void,
): Promise<void> {
  let level = [root];
  while (level.length > 0) {
    const replies = await Promise.all(
      level.map((path) =>
        client.getChildren(path, options).catch((error: unknown) => {
          // Deleted since its parent was read.
          if (error instanceof NoNodeError && path !== root) return undefined;
          throw error;
        }),
      ),
    );
    const next: string[] = [];
    replies.forEach((reply, index) => {
      if (reply === undefined) return;
      const path = level[index]!;
      visit(path, reply);
      for (const child of reply.children) next.push(path === "/" ? `/${child}` : `${path}/${child}`);
    });
    level = next;
  }
}

/** What `getAllChildrenNumber` answers. */
export async function countBelow(client: OlderCalls, path: string, options?: RequestOptions): Promise<number> {
  let count = 0;
  await walk(client, path, options, (_, reply) => {
    count += reply.children.length;
  });
  return count;
}

/** What `getEphemerals` answers. */
export async function ephemeralsBelow(client: OlderCalls, prefix: string, options?: RequestOptions): Promise<string[]> {
  const { state } = client;
  const owner = state.name === "connected" || state.name === "suspended" ? state.session.id : undefined;
  const paths: string[] = [];
  await walk(client, prefix, options, (path, reply) => {
    if (reply.stat.ephemeralOwner === owner) paths.push(path);
  });
  return paths;
}
