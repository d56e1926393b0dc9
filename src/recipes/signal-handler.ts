/** What all handlers of this process listen with: beside them nobody else may be listening. */
const ours = new Set<NodeJS.SignalsListener>();

/**
 * Does something before the process ends by a signal. Where the program itself does not listen for the signal, the process
 * ends by it when every handler is done, as it would have at once without them, and at the second signal in any case;
 * otherwise that is the program's business.
 */
export class SignalHandler {
  readonly #names: readonly NodeJS.Signals[];
  readonly #work: () => Promise<unknown>;
  #working = false;

  constructor(names: readonly NodeJS.Signals[], work: () => Promise<unknown>) {
    this.#names = names;
    this.#work = work;
    ours.add(this.#onSignal);
    // First in line, so that a listener that is there for one signal only is not gone before it is seen.
    for (const name of names) process.prependListener(name, this.#onSignal);
  }

  close(): void {
    for (const name of this.#names) process.off(name, this.#onSignal);
    ours.delete(this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const alone = process.listeners(name).every((listener) => ours.has(listener));
    if (this.#working) return this.#end(name, alone);
    this.#working = true;
    void this.#work().finally(() => this.#end(name, alone));
  };

  #end(name: NodeJS.Signals, alone: boolean): void {
    this.close();
    if (alone && process.listenerCount(name) === 0) process.kill(process.pid, name);
  }
}
