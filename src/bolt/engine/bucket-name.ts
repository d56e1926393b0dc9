import { encodeUtf8 } from "../../util/bytes.js";

export function nameBytes(name: string | Uint8Array): Uint8Array {
  return typeof name === "string" ? encodeUtf8(name) : name;
}

/** A bucket name as a map key. */
export function nameId(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString("latin1");
}

/** The name that such a key is for. */
export function nameOfId(id: string): Uint8Array {
  return Buffer.from(id, "latin1");
}

/** A name for messages. */
export function nameText(name: Uint8Array): string {
  return JSON.stringify(Buffer.from(name.buffer, name.byteOffset, Math.min(name.length, 200)).toString("utf8"));
}
