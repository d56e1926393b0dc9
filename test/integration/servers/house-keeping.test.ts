import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isAlive } from "../../servers/file-lock.js";
import { type EtcdServer, httpOk, skipped, startEtcd, waitUntil } from "../../servers/index.js";
import { repositoryRoot } from "../../servers/paths.js";

const open: EtcdServer[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of open.splice(0)) await server.close();
});

async function start(options?: Parameters<typeof startEtcd>[0]): Promise<EtcdServer> {
  const server = await startEtcd(options);
  open.push(server);
  return server;
}

describe.skipIf(skipped("etcd"))("a test server", () => {
  it("is the one that the environment gives, unless the test needs one of its own", async () => {
    const running = await start({ own: true });
    vi.stubEnv("KVASIR_TEST_ETCD", running.endpoint);
    const given = await start();
    expect(given.endpoint).toBe(running.endpoint);
    expect(given.version).toBe(running.version);
    expect((await given.leader())?.endpoint).toBe(running.endpoint);
    expect(() => given.member.pause()).toThrow("given by KVASIR_TEST_ETCD");
    await expect(given.member.stop()).rejects.toThrow("own: true");
    await given.close();
    expect(await httpOk(`${running.endpoint}/health`)).toContain("true");
    expect((await start({ own: true })).endpoint).not.toBe(running.endpoint);

    vi.stubEnv("KVASIR_TEST_ETCD", "127.0.0.1:1");
    await expect(startEtcd()).rejects.toThrow("KVASIR_TEST_ETCD: http://127.0.0.1:1 does not answer");
  });

  it("says what it printed when it does not start, and leaves nothing behind", async () => {
    await expect(startEtcd({ extraArgs: ["--no-such-flag"] })).rejects.toThrow(
      /exit code 2\nthe end of its log:\n.*flag/s,
    );
  });

  it.skipIf(process.platform !== "linux")("dies with the process that started it, even a killed one", async () => {
    const script = path.join(repositoryRoot, "test/servers/index.ts");
    const code = `import(${JSON.stringify(script)}).then(async ({ startEtcd }) => {
      const server = await startEtcd({ own: true });
      console.log(server.member.pid);
      setInterval(() => {}, 1000);
    });`;
    const child = spawn(process.execPath, ["--import", "tsx", "--eval", code], { cwd: repositoryRoot });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await waitUntil("the server is gone", async () => !existsSync(`/proc/${pid}`), { timeoutMs: 5_000 });
  });
});
