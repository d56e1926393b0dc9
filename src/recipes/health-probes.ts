import net from "node:net";

/** Resolves when something accepts a connection there; rejects when not, or when the signal fires. */
export function probeTcp(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    const settle = (error?: unknown): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = (): void => settle(signal.reason);
    signal.addEventListener("abort", onAbort);
    socket.once("connect", () => settle());
    socket.on("error", settle);
  });
}

/** Resolves when a GET is answered with a status from 200 to 299; redirects are not followed. */
export async function probeHttp(url: URL, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal, redirect: "manual", headers: { connection: "close" } });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`GET ${url.origin}${url.pathname} was answered with ${response.status}`);
}
