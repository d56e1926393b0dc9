import { Pool } from "undici";
import { checkValue, keys, newValueOf, randomOrder } from "../harness/keys.js";
import { callers, type Side, throughput } from "../harness/side.js";
import { benchKeys } from "./data.js";

/** `undici` without a client over it: one request for each call, as many connections as callers. */
export class Plain {
  readonly #pool: Pool;
  readonly #order = randomOrder(benchKeys);
  #next = 0;

  constructor(host: string) {
    this.#pool = new Pool(`http://${host}`, { connections: 64 });
  }

  get(inflight: number, mode: "consistent" | "stale"): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        const { body } = await this.#pool.request({ method: "GET", path: `/v1/kv/${keys[index]!}?${mode}` });
        const [pair] = (await body.json()) as { Value: string }[];
        checkValue(Buffer.from(pair!.Value, "base64"), index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        const path = `/v1/kv/${keys[index]!}`;
        const { body, statusCode } = await this.#pool.request({ method: "PUT", path, body: newValueOf(index) });
        if (statusCode !== 200) throw new Error(`the agent answered ${statusCode}`);
        await body.dump();
      }),
    );
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
