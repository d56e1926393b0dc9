import { httpOk } from "./http-request.js";
import { minorVersion } from "./releases.js";
import type { EtcdServer } from "./etcd.js";

/**
 * Turns on authentication: over the JSON gateway of the v3 API (its prefix is `/v3beta` on 3.3 and `/v3` since 3.4), and
 * over `/v2/auth` where that API is served, as each API has users of its own.
 */
export async function enableEtcdAuth(
  server: EtcdServer,
  auth: { user: string; password: string },
  options: { v2: boolean },
): Promise<void> {
  const users = [...new Set(["root", auth.user])];
  const prefix = minorVersion(server.version) === "3.3" ? "v3beta" : "v3";
  const call = (method: string, body: unknown) =>
    httpOk(`${server.endpoint}/${prefix}/auth/${method}`, {
      method: "POST",
      body: JSON.stringify(body),
      tls: server.tls,
    });
  await call("role/add", { name: "root" });
  for (const name of users) {
    await call("user/add", { name, password: auth.password });
    await call("user/grant", { user: name, role: "root" });
  }
  await call("enable", {});
  if (!options.v2 && prefix !== "v3beta") return;
  const put = (path: string, body?: unknown) =>
    httpOk(`${server.endpoint}/v2/auth/${path}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      tls: server.tls,
    });
  for (const user of users) await put(`users/${user}`, { user, password: auth.password, roles: ["root"] });
  await put("enable");
}
