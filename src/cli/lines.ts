/** The longest line in bytes; more would not fit a JavaScript string. */
const maxLineBytes = 256 * 1024 * 1024;

const newline = 0x0a;

/** A line's bytes without its end, and its number, the first being 1. */
export interface Line {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/**
 * Cuts a stream of bytes into lines, all that one chunk completes at a time, so that memory holds a chunk and a line
 * and not the file. The last line needs no newline.
 */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let number = 0;
  let rest: Uint8Array[] = [];
  let restLength = 0;
  for await (const chunk of stream) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      rest.push(chunk.subarray(start, end));
      lines.push({ number: ++number, bytes: rest.length === 1 ? rest[0]! : Buffer.concat(rest) });
      rest = [];
      restLength = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restLength += chunk.length - start;
    }
    if (restLength > maxLineBytes) throw new RangeError(`line ${number + 1} is longer than ${maxLineBytes} bytes`);
    if (lines.length > 0) yield lines;
  }
  if (restLength > 0) yield [{ number: number + 1, bytes: Buffer.concat(rest) }];
}
