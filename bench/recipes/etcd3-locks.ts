import { setTimeout as sleep } from "node:timers/promises";
import { Etcd3, EtcdLockFailedError, type Lock } from "etcd3";
import { callers, type Side, throughput } from "../harness/side.js";

/** The locks of `etcd3`. They do not wait: who finds one held tries again, as its documentation says. */
export class Etcd3Locks {
  readonly #client: Etcd3;

  constructor(hosts: string) {
    this.#client = new Etcd3({ hosts });
  }

  locks(contenders: number): Side {
    return throughput((milliseconds) =>
      callers(contenders, milliseconds, async () => {
        const lock = await this.#acquire();
        await lock.release();
      }),
    );
  }

  close(): void {
    this.#client.close();
  }

  async #acquire(): Promise<Lock> {
    for (;;) {
      try {
        return await this.#client.lock("bench/lock-of-etcd3").ttl(15).acquire();
      } catch (error) {
        if (!(error instanceof EtcdLockFailedError)) throw error;
        await sleep(1);
      }
    }
  }
}
