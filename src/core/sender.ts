import { type Call, type Calls, type CallSubject, traceOf } from "./calls.js";
import { callsAreTraced } from "./diagnostics.js";
import type { Driver, Request } from "./driver.js";
import type { Requests } from "./requests.js";
import type { CallOptions } from "./store.js";
import type { WriteScope } from "./write-order.js";

/** Admits calls and sends them on their way; a promise settles as the first of answer, deadline, abort and close. */
export class Sender {
  readonly #driver: Driver;
  readonly #calls: Calls;
  readonly #requests: Requests;

  constructor(driver: Driver, calls: Calls, requests: Requests) {
    this.#driver = driver;
    this.#calls = calls;
    this.#requests = requests;
  }

  /** A call that `start` hands on; `onAnswered` is called with its answer before anybody else has it. */
  send<T>(
    subject: CallSubject,
    options: CallOptions | undefined,
    start: (call: Call<T>) => void,
    onAnswered?: () => void,
  ): Promise<T> {
    try {
      const call = this.#calls.begin<T>(subject, options);
      call.onAnswered = onAnswered;
      const traced = callsAreTraced() ? traceOf(call, this.#driver) : call.promise;
      start(call);
      return traced;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A request of its own; the parameters are those of `Requests.single`. */
  single<T>(
    subject: CallSubject,
    options: CallOptions | undefined,
    run: (request: Request) => Promise<T>,
    scope?: WriteScope,
    onLate?: (result: T) => Promise<void>,
  ): Promise<T> {
    return this.send<T>(subject, options, (call) => this.#requests.single(call, scope, run, onLate));
  }
}
