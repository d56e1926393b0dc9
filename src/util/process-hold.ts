/** Long enough that the timer itself never matters. */
const longestTimerMs = 2 ** 31 - 1;

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * Keeps the process running while somebody waits for something that no socket or file of its own would bring: Node
 * would exit in the middle of the wait. Call what it returns, once, when the wait is over.
 */
export function holdProcess(): () => void {
  timer ??= setInterval(() => {}, longestTimerMs);
  holders++;
  let holding = true;
  return () => {
    if (!holding) return;
    holding = false;
    if (--holders > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
