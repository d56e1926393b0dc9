import { isUtf8 } from "node:buffer";

/** A key and a value as an export's line holds them. A ttl is not carried. */
export interface ExportRecord {
  readonly key: string;
  readonly value: string | Uint8Array;
}

/** One line of an export, without its end: the value as text, or as `base64` where it is not UTF-8. */
export function encodeRecord(key: string, value: Uint8Array): string {
  return JSON.stringify({ key, ...valueFields(value) });
}

/** The value as JSON carries it: as text, or as `base64` where it is not UTF-8. */
export function valueFields(value: Uint8Array): { value: string } | { base64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? { value: bytes.toString("utf8") } : { base64: bytes.toString("base64") };
}

/** Why a line of an import cannot be used. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

/**
 * Reads a line of an export, or one that `list --json` printed. Whatever else a line holds is refused, so that nothing
 * is lost without a word. Throws a `RecordError`.
 */
export function parseRecord(line: string): ExportRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw new RecordError(`it is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new RecordError('it is not an object such as {"key":"a/b","value":"text"}');
  }
  const { key, value, base64, revision: _revision, ...others } = parsed as Record<string, unknown>;
  const [unknownField] = Object.keys(others);
  if (unknownField !== undefined) {
    throw new RecordError(`it has the field ${JSON.stringify(unknownField)}, which import does not know`);
  }
  if (typeof key !== "string") throw new RecordError('it has no "key" that is a string');
  if ((value === undefined) === (base64 === undefined)) {
    throw new RecordError('it needs one of "value" and "base64"');
  }
  return { key, value: value === undefined ? decodeBase64(base64) : checkText(value) };
}

function checkText(value: unknown): string {
  if (typeof value !== "string") throw new RecordError('its "value" is not a string');
  if (!value.isWellFormed())
    throw new RecordError('its "value" holds half of a surrogate pair, which UTF-8 cannot carry');
  return value;
}

function decodeBase64(base64: unknown): Uint8Array {
  if (typeof base64 !== "string") throw new RecordError('its "base64" is not a string');
  const bytes = Buffer.from(base64, "base64");
  // Node skips what is not base64; encoding again shows whether it skipped something.
  if (bytes.toString("base64") !== base64) throw new RecordError('its "base64" is not base64');
  return bytes;
}
