import { expect, it } from "vitest";
import { type Turn, WriteOrder, type WriteScope } from "../../../src/core/write-order.js";

/** An order, and who has started in it so far. */
function create() {
  const order = new WriteOrder();
  const started: string[] = [];
  const turns = new Map<string, Turn>();
  const enter = (name: string, scope: WriteScope): void =>
    order.enter(scope, (turn) => {
      started.push(name);
      turns.set(name, turn);
    });
  const done = (name: string): void => turns.get(name)!.done();
  return { order, started, enter, done };
}

const key = (...keys: string[]): WriteScope => ({ keys });
const tree = (directory: string): WriteScope => ({ tree: directory });

it("lets writes to different keys go at once", () => {
  const { started, enter } = create();
  enter("first", key("a"));
  enter("second", key("b"));
  expect(started).toEqual(["first", "second"]);
});

it("lets a write to the same key go when the one before is done, one after the other", () => {
  const { started, enter, done } = create();
  enter("first", key("a"));
  enter("second", key("a"));
  enter("third", key("a"));
  expect(started).toEqual(["first"]);
  done("first");
  expect(started).toEqual(["first", "second"]);
  done("second");
  expect(started).toEqual(["first", "second", "third"]);
});

it("keeps a tree and the keys below it in order, both ways round", () => {
  const { started, enter, done } = create();
  enter("key", key("dir/a"));
  enter("tree", tree("dir"));
  enter("later key", key("dir/b"));
  enter("beside", key("dir"));
  enter("sibling", key("dirty/a"));
  expect(started).toEqual(["key", "beside", "sibling"]);
  done("key");
  expect(started.slice(3)).toEqual(["tree"]);
  done("tree");
  expect(started.slice(4)).toEqual(["later key"]);
});

it("keeps nested trees in order, and the root before and after everything", () => {
  const { started, enter, done } = create();
  enter("inner", tree("a/b"));
  enter("outer", tree("a"));
  enter("root", tree(""));
  enter("key", key("elsewhere"));
  expect(started).toEqual(["inner"]);
  done("inner");
  expect(started).toEqual(["inner", "outer"]);
  done("outer");
  expect(started).toEqual(["inner", "outer", "root"]);
  done("root");
  expect(started).toEqual(["inner", "outer", "root", "key"]);
});

it("a write of several keys waits for all of them, and holds all of them", () => {
  const { started, enter, done } = create();
  enter("a", key("a"));
  enter("b", key("b"));
  enter("both", key("a", "b"));
  enter("a again", key("a"));
  enter("b again", key("b"));
  done("b");
  expect(started).toEqual(["a", "b"]);
  done("a");
  expect(started).toEqual(["a", "b", "both"]);
  done("both");
  expect(started).toEqual(["a", "b", "both", "a again", "b again"]);
});

it("a write that gave up keeps its place: the one behind it does not overtake the one before", () => {
  const order = new WriteOrder();
  const started: string[] = [];
  let first: Turn | undefined;
  order.enter(key("a"), (turn) => {
    first = turn;
  });
  order.enter(key("a"), (turn) => {
    started.push("cancelled");
    turn.done();
  });
  order.enter(key("a"), () => started.push("third"));
  expect(started, "nobody goes while the first is under way").toEqual([]);
  first!.done();
  expect(started).toEqual(["cancelled", "third"]);
});

it("a place that is done twice does not let a second one go", () => {
  const { started, enter, done } = create();
  enter("first", key("a"));
  enter("second", key("a"));
  enter("third", key("a"));
  done("first");
  done("first");
  expect(started).toEqual(["first", "second"]);
});

it("ten thousand writes to one key start in the order they were called, without a deep stack", () => {
  const order = new WriteOrder();
  const started: number[] = [];
  let first: Turn | undefined;
  order.enter(key("a"), (turn) => {
    first = turn;
  });
  for (let number = 0; number < 10_000; number++) {
    order.enter(key("a"), (turn) => {
      started.push(number);
      queueMicrotask(() => turn.done());
    });
  }
  first!.done();
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    expect(started).toEqual(Array.from({ length: 10_000 }, (_, number) => number));
  });
});
