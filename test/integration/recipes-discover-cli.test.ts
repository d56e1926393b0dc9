import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { kvasir, newStore, start } from "./cli-support.js";

const web = ["discover", "register", "web", "--address", "10.0.0.7", "--port", "8080"];

describe("kvasir discover", () => {
  test("registers until it is told to end, and is listed and watched meanwhile", async () => {
    const { url } = await newStore();
    const watch = start(["discover", "watch", "web", "--limit", "3"], { url });
    const first = start([...web, "--id", "web-1", "--meta", "zone=a", "--meta", "v=1"], { url });
    await first.untilPrinted("registered\tservices/web/web-1\t10.0.0.7:8080\tzone=a\tv=1\n");
    await watch.untilPrinted("joined\tweb-1\t10.0.0.7:8080\tzone=a\tv=1\n");
    const second = start([...web, "--json"], { url });
    await watch.untilPrinted("joined\t10.0.0.7:8080\t10.0.0.7:8080\n");
    expect((await kvasir(["discover", "list"], { url })).stdout).toBe(
      "web\t10.0.0.7:8080\t10.0.0.7:8080\nweb\tweb-1\t10.0.0.7:8080\tzone=a\tv=1\n",
    );
    first.child.kill("SIGTERM");
    expect((await first.done).exitCode).toBe(143);
    expect(await watch.done).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await watch.done).stdout.split("\n").at(-2)).toBe("left\tweb-1\t10.0.0.7:8080\tzone=a\tv=1");
    const listed = JSON.parse((await kvasir(["discover", "list", "web", "--json"], { url })).stdout) as object;
    second.child.kill("SIGINT");
    const { exitCode, stdout } = await second.done;
    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout)).toEqual({ state: "registered", key: "services/web/10.0.0.7:8080", ...listed });
    expect(await kvasir(["list"], { url })).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("a check over http decides whether the entry is there, and its reason is told", async () => {
    let status = 503;
    const server = createServer((_, response) => response.writeHead(status).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { url } = await newStore();
    const own = ["discover", "register", "web", "--address", "127.0.0.1", "--port", `${port}`];
    const running = start([...own, "--check-http", "/health", "--check-every", "20ms"], { url });
    await running.untilPrinted(`withdrawn\tservices/web/127.0.0.1:${port}`);
    status = 200;
    await running.untilPrinted(`\nregistered\tservices/web/127.0.0.1:${port}`);
    status = 500;
    await running.untilPrinted(`0.1:${port}\nwithdrawn`);
    running.child.kill("SIGTERM");
    expect((await running.done).stderr).toContain(`/health was answered with 500`);
  });

  test("ends with exit code 1 when another takes its id", async () => {
    const { url } = await newStore();
    const first = start([...web, "--id", "x"], { url });
    await first.untilPrinted("registered");
    const second = start([...web, "--id", "x"], { url });
    await second.untilPrinted("registered");
    expect(await first.done).toMatchObject({
      exitCode: 1,
      stderr: 'kvasir: another registration took "services/web/x"\n',
    });
    second.child.kill("SIGTERM");
    await second.done;
  });

  test("says what is no instance, and what it was called with wrongly", async () => {
    const { url } = await newStore();
    await kvasir(["put", "services/web/bad", '{"address":"a","port":"80"}'], { url });
    expect(await kvasir(["discover", "list", "web"], { url })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: 'kvasir: "services/web/bad" is no instance and left out: port: it is a whole number from 0 to 65535\n',
    });
    for (const args of [
      ["--port", "x"],
      ["--meta", "x"],
      ["--check-every", "5s"],
      ["--id", "a/b"],
    ]) {
      expect(await kvasir([...web, ...args], { url }), args.join(" ")).toMatchObject({ exitCode: 2 });
    }
    expect(await kvasir(["discover", "watch", "web", "--limit", "1", "--timeout", "100ms"], { url })).toMatchObject({
      exitCode: 1,
      stdout: "",
    });
  });
});
