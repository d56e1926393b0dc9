/**
 * Does something before the process ends by a signal. Where nobody else listens for the signal, the process ends by it
 * afterwards, as it would have without this; otherwise that is the other listener's business.
 */
export class SignalHandler {
  readonly #names: readonly NodeJS.Signals[];
  readonly #work: () => Promise<unknown>;

  constructor(names: readonly NodeJS.Signals[], work: () => Promise<unknown>) {
    this.#names = names;
    this.#work = work;
    for (const name of names) process.on(name, this.#onSignal);
  }

  close(): void {
    for (const name of this.#names) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const alone = process.listenerCount(name) === 1;
    void this.#work().finally(() => {
      this.close();
      if (alone) process.kill(process.pid, name);
    });
  };
}
