import { isUtf8 } from "node:buffer";

/**
 * What could move the cursor, change the title or turn the text around on a terminal: C0 and C1 controls, DEL, and the
 * bidirectional overrides. Tab and newline are for the caller to decide.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Control characters spelt as `\x1b` or `\u202e`, tabs and newlines kept. */
export function escapeControls(text: string): string {
  return text.replace(controls, escapeCharacter);
}

/** As `escapeControls`, on one line: newline, tab and backslash are spelt too, so that the value can be told back. */
export function escapeLine(text: string): string {
  return escapeControls(text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t"));
}

/** As `escapeControls`, in JSON's own spelling, so that the text stays JSON and the same value. */
export function escapeJson(json: string): string {
  return json.replace(controls, (character) => `\\u${hex(character, 4)}`);
}

/** Bytes as text for people: those that are not UTF-8 are spelt as `\xff`. */
export function bytesToText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  return buffer.toString("latin1").replace(/[\u0080-\u00ff]/g, (byte) => `\\x${hex(byte, 2)}`);
}

function escapeCharacter(character: string): string {
  return character.charCodeAt(0) > 0xff ? `\\u${hex(character, 4)}` : `\\x${hex(character, 2)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

/** The codes of SGR, ECMA-48: on, and back to what was before. */
const colours = { red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], dim: [2, 22] } as const;

export type Paint = (colour: keyof typeof colours, text: string) => string;

/** Colours for a terminal; none for a pipe, under NO_COLOR or on a terminal that cannot. */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const wanted = isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  if (!wanted) return (_colour, text) => text;
  return (colour, text) => {
    const [on, off] = colours[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}
