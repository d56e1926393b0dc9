/**
 * A signal that fires with the first of these. Unlike `AbortSignal.any` it can be taken off them again, so that signals
 * which live as long as the program do not collect what hangs on them.
 */
export function linkSignals(...signals: (AbortSignal | undefined)[]): { signal: AbortSignal; unlink: () => void } {
  const linked = new AbortController();
  const links = signals.map((signal) => {
    const onAbort = (): void => linked.abort(signal?.reason);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    return () => signal?.removeEventListener("abort", onAbort);
  });
  return {
    signal: linked.signal,
    unlink: () => {
      for (const unlink of links) unlink();
    },
  };
}

/** What the promise gives, unless the signal fires first: then its reason. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
