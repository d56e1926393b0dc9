import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { onTestFinished, describe, expect, it } from "vitest";
import { type HealthCheck, HealthMonitor } from "../../../src/recipes/health-check.js";

const nowhere = { address: "127.0.0.1", port: 1 };

/** The first verdict, and each that follows until there are `count` changes. */
async function verdicts(check: HealthCheck, count = 0, instance = nowhere): Promise<string[]> {
  const said: string[] = [];
  const say = (healthy: boolean, reason: Error | undefined): void =>
    void said.push(healthy ? "healthy" : `unhealthy: ${reason?.message}`);
  let monitor!: HealthMonitor;
  await new Promise<void>((resolve, reject) => {
    monitor = new HealthMonitor({ intervalMs: 2, ...check }, instance, (healthy, reason) => {
      say(healthy, reason);
      if (said.length > count) resolve();
    });
    monitor.start().then(({ healthy, reason }) => {
      say(healthy, reason);
      if (said.length > count) resolve();
    }, reject);
  });
  monitor.stop();
  return said;
}

/** Gives the results in order, then the last one for ever; what is an error is thrown. */
function sequence(...results: unknown[]): () => unknown {
  return () => {
    const result = results.length > 1 ? results.shift() : results[0];
    if (result instanceof Error) throw result;
    return result;
  };
}

async function listening(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("a function", () => {
  it.each([
    ["gives nothing", () => undefined, "healthy"],
    ["gives true later", async () => true, "healthy"],
    ["gives false", () => false, "unhealthy: the health check gave false"],
    ["rejects", () => Promise.reject(new Error("no")), "unhealthy: no"],
    ["throws", sequence(new Error("no")), "unhealthy: no"],
  ])("that %s", async (_, run, verdict) => {
    expect(await verdicts({ type: "function", run })).toEqual([verdict]);
  });

  it("that does not answer has failed when its time is over, and is told by its signal", async () => {
    let reason: unknown;
    const run = (signal: AbortSignal): Promise<never> =>
      new Promise(() => signal.addEventListener("abort", () => (reason = signal.reason)));
    const said = await verdicts({ type: "function", run, timeoutMs: 20 });
    expect(said).toEqual(["unhealthy: the health check took longer than 20 ms"]);
    expect(reason).toBeInstanceOf(Error);
  });

  it("must fail twice in a row to make a healthy one unhealthy, and succeed once to make it healthy again", async () => {
    const no = new Error("no");
    let runs = 0;
    const results = sequence(true, no, true, no, no, true, true);
    const run = (): unknown => {
      runs += 1;
      return results();
    };
    expect(await verdicts({ type: "function", run }, 1)).toEqual(["healthy", "unhealthy: no"]);
    expect(runs).toBe(5);
    const again = sequence(true, no, no, true);
    expect(await verdicts({ type: "function", run: again }, 2)).toEqual(["healthy", "unhealthy: no", "healthy"]);
  });

  it("is counted as strictly as asked for", async () => {
    let runs = 0;
    const results = sequence(false, true, true, false, true, true, true, false);
    const run = (): unknown => {
      runs += 1;
      return results();
    };
    const said = await verdicts({ type: "function", run, successes: 3, failures: 1 }, 2);
    expect(said.map((each) => each.split(":")[0])).toEqual(["unhealthy", "healthy", "unhealthy"]);
    expect(runs).toBe(8);
  });
});

describe("tcp", () => {
  it("succeeds where something listens, at the instance's own place or another", async () => {
    const port = await listening(net.createServer((socket) => socket.destroy()));
    expect(await verdicts({ type: "tcp" }, 0, { address: "127.0.0.1", port })).toEqual(["healthy"]);
    expect(await verdicts({ type: "tcp", port })).toEqual(["healthy"]);
    expect((await verdicts({ type: "tcp" }))[0]).toMatch(/^unhealthy: .*ECONNREFUSED/);
  });
});

describe("http", () => {
  it("wants a status from 200 to 299, without following redirects, of a path or a URL", async () => {
    const server = http.createServer((request, response) => {
      response.writeHead(Number(request.url!.slice(1)) || 200, { location: "/200" }).end("body");
    });
    const port = await listening(server);
    const instance = { address: "127.0.0.1", port };
    expect(await verdicts({ type: "http" }, 0, instance)).toEqual(["healthy"]);
    expect(await verdicts({ type: "http", url: "/204" }, 0, instance)).toEqual(["healthy"]);
    const url = `http://127.0.0.1:${port}/503`;
    expect(await verdicts({ type: "http", url })).toEqual([`unhealthy: GET ${url} was answered with 503`]);
    expect((await verdicts({ type: "http", url: "/302" }, 0, instance))[0]).toMatch(/302$/);
    expect((await verdicts({ type: "http" }))[0]).toMatch(/^unhealthy/);
  });
});
