import { invalid, positiveInteger } from "../core/arguments.js";
import { type Clock, systemClock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import { probeHttp, probeTcp } from "./health-probes.js";
import { hostAndPort } from "./host-and-port.js";

/** How often, and how strictly. */
export interface HealthCheckTiming {
  /** The pause between two checks, in milliseconds. Default 5,000. */
  intervalMs?: number | undefined;
  /** A check that takes longer has failed, in milliseconds. Default 2,000. */
  timeoutMs?: number | undefined;
  /** So many failures in a row make an instance that was healthy unhealthy. Default 2; the first check counts at once. */
  failures?: number | undefined;
  /** So many successes in a row make an instance that was unhealthy healthy. Default 1. */
  successes?: number | undefined;
}

/**
 * Whether an instance does its work. `function`: `run` fails by throwing, by rejecting, or by giving `false`; its signal
 * fires when the time is over. `tcp`: something accepts connections, by default at the instance's own address and port.
 * `http`: a GET is answered with 200 to 299, by default of `/` there; a path alone, such as `/health`, is also taken
 * from there.
 */
export type HealthCheck = HealthCheckTiming &
  (
    | { type: "function"; run: (signal: AbortSignal) => unknown }
    | { type: "tcp"; host?: string | undefined; port?: number | undefined }
    | { type: "http"; url?: string | undefined }
  );

/** One check. Rejects when it fails. */
type Probe = (signal: AbortSignal) => unknown;

/** Runs a check again and again, and counts. */
export class HealthMonitor {
  readonly #probe: Probe;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #failures: number;
  readonly #successes: number;
  readonly #onChange: (healthy: boolean, reason: Error | undefined) => void;
  readonly #stopped = new AbortController();
  #healthy = false;
  /** How many checks in a row spoke against what is believed. */
  #against = 0;

  constructor(
    check: HealthCheck,
    instance: { readonly address: string; readonly port: number },
    onChange: (healthy: boolean, reason: Error | undefined) => void,
    clock: Clock = systemClock,
  ) {
    this.#probe = probeOf(check, instance);
    this.#onChange = onChange;
    this.#clock = clock;
    this.#intervalMs = positiveInteger("intervalMs", check.intervalMs) ?? 5_000;
    this.#timeoutMs = positiveInteger("timeoutMs", check.timeoutMs) ?? 2_000;
    this.#failures = positiveInteger("failures", check.failures) ?? 2;
    this.#successes = positiveInteger("successes", check.successes) ?? 1;
  }

  /** Resolves, with what the first check said, when that is done; the others follow until `stop()`. */
  async start(): Promise<{ healthy: boolean; reason: Error | undefined }> {
    const reason = await this.#run();
    this.#healthy = reason === undefined;
    void this.#goOn();
    return { healthy: this.#healthy, reason };
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #goOn(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await sleep(this.#intervalMs, { signal, clock: this.#clock }).catch(() => undefined);
      if (signal.aborted) return;
      const reason = await this.#run();
      if (!signal.aborted) this.#count(reason);
    }
  }

  #count(reason: Error | undefined): void {
    const healthy = reason === undefined;
    this.#against = healthy === this.#healthy ? 0 : this.#against + 1;
    if (this.#against < (healthy ? this.#successes : this.#failures) || healthy === this.#healthy) return;
    this.#healthy = healthy;
    this.#against = 0;
    this.#onChange(healthy, reason);
  }

  /** Why the check failed; `undefined` when it did not. A check that takes no notice of its signal is not waited for. */
  async #run(): Promise<Error | undefined> {
    const abort = new AbortController();
    const late = new Error(`the health check took longer than ${this.#timeoutMs} ms`);
    const timer = this.#clock.after(this.#timeoutMs, () => abort.abort(late));
    const stop = (): void => abort.abort(new Error("the health check was stopped"));
    this.#stopped.signal.addEventListener("abort", stop);
    const over = new Promise<never>((_, reject) => {
      abort.signal.addEventListener("abort", () => reject(abort.signal.reason as Error));
    });
    try {
      const result = await Promise.race([Promise.resolve().then(() => this.#probe(abort.signal)), over]);
      return result === false ? new Error("the health check gave false") : undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      timer.cancel();
      this.#stopped.signal.removeEventListener("abort", stop);
    }
  }
}

function probeOf(check: HealthCheck, instance: { readonly address: string; readonly port: number }): Probe {
  switch (check.type) {
    case "function":
      return check.run;
    case "tcp": {
      const { host = instance.address, port = instance.port } = check;
      return (signal) => probeTcp(host, port, signal);
    }
    case "http": {
      const url = new URL(check.url ?? "/", `http://${hostAndPort(instance)}`);
      if (url.protocol !== "http:" && url.protocol !== "https:") throw invalid("a health check's url is http or https");
      return (signal) => probeHttp(url, signal);
    }
    default:
      throw invalid(
        `a health check's type is function, tcp or http, not ${JSON.stringify((check as { type: unknown }).type)}`,
      );
  }
}
