import { changeMetas, metaField, pageHeaderSize, pageSizeOf, sealMeta } from "./forge.js";
import type { Random } from "./random.js";

/** A damaged copy of a file, and what was done to it. */
export interface Mutant {
  bytes: Buffer;
  what: string;
}

/** Damages the copy in place, or gives back another; says what it did. */
type Mutation = (file: Buffer, random: Random) => string | Mutant;

/** Numbers that programs trip over. */
const edges = [
  0, 1, 2, 3, 15, 16, 17, 255, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/** Offsets of a page header's fields. */
const header = { id: 0, flags: 8, count: 10, overflow: 12 } as const;

const mutations: Record<string, Mutation> = {
  flipBits(file, random) {
    const flips = random.between(1, 8);
    for (let i = 0; i < flips; i++) {
      const at = random.below(file.length);
      file[at] = file[at]! ^ (1 << random.below(8));
    }
    return `${flips} bits`;
  },
  overwrite(file, random) {
    const at = random.below(file.length);
    const bytes = random.bytes(random.between(1, 64));
    bytes.copy(file, at);
    return `${bytes.length} bytes at ${at}`;
  },
  truncate(file, random) {
    const pageSize = trustedPageSize(file);
    const size = random.chance(0.5) ? random.below(file.length) : random.below(file.length / pageSize) * pageSize;
    return { bytes: file.subarray(0, size), what: `to ${size} bytes` };
  },
  append(file, random) {
    const tail = random.bytes(random.between(1, 3000));
    return { bytes: Buffer.concat([file, tail]), what: `${tail.length} bytes` };
  },
  swapPages(file, random) {
    const [left, right] = [randomPage(file, random), randomPage(file, random)];
    const kept = Buffer.from(pageOf(file, left));
    pageOf(file, right).copy(pageOf(file, left));
    kept.copy(pageOf(file, right));
    return `${left} and ${right}`;
  },
  copyPage(file, random) {
    const [from, to] = [randomPage(file, random), randomPage(file, random)];
    pageOf(file, from).copy(pageOf(file, to));
    // With its id set right, only what it holds gives it away.
    if (random.chance(0.7)) pageOf(file, to).writeUInt32LE(to, header.id);
    return `${from} over ${to}`;
  },
  zeroPage(file, random) {
    const page = randomPage(file, random);
    pageOf(file, page).fill(0);
    return `${page}`;
  },
  pageHeader(file, random) {
    const page = randomPage(file, random);
    const bytes = pageOf(file, page);
    const field = random.pick(["id", "flags", "count", "overflow"] as const);
    const value = oddNumber(file, random);
    if (field === "flags" || field === "count") bytes.writeUInt16LE(value & 0xffff, header[field]);
    else bytes.writeUInt32LE(value, header[field]);
    return `${field} of ${page} to ${value}`;
  },
  element(file, random) {
    const page = randomPage(file, random);
    const bytes = pageOf(file, page);
    const at = pageHeaderSize + 4 * random.below(Math.min(4 * 64, (bytes.length - pageHeaderSize) / 4));
    const value = oddNumber(file, random);
    bytes.writeUInt32LE(value, at);
    return `word ${at} of ${page} to ${value}`;
  },
  childPointer(file, random) {
    // Any word that holds a small number may be a page id: point it elsewhere, at an ancestor maybe.
    const page = randomPage(file, random);
    const bytes = pageOf(file, page);
    for (let tries = 0; tries < 200; tries++) {
      const at = pageHeaderSize + 4 * random.below((bytes.length - pageHeaderSize) / 4);
      const old = bytes.readUInt32LE(at);
      if (old < 2 || old >= file.length / bytes.length) continue;
      bytes.writeUInt32LE(randomPage(file, random), at);
      return `word ${at} of ${page}, was ${old}`;
    }
    return `none found in ${page}`;
  },
  sealedMeta(file, random) {
    const field = random.pick(["root", "freelist", "highWater", "txid"] as const);
    const value = random.chance(0.2) ? BigInt(oddNumber(file, random)) << 32n : BigInt(oddNumber(file, random));
    changeMetas(file, { [field]: value }, trustedPageSize(file));
    return `${field} to ${value}`;
  },
  sealedPageSize(file, random) {
    const pageSize = trustedPageSize(file);
    const value = random.chance(0.5) ? 1 << random.below(20) : oddNumber(file, random);
    const page = random.below(2);
    const meta = file.subarray(page * pageSize, (page + 1) * pageSize);
    meta.writeUInt32LE(value, metaField.pageSize);
    sealMeta(meta);
    return `of meta ${page} to ${value}`;
  },
  hugeFreelist(file, random) {
    const pageSize = trustedPageSize(file);
    const page = Number(file.readBigUInt64LE(metaField.freelist) & 0xffff_ffffn);
    if ((page + 1) * pageSize > file.length) return "not stored";
    const bytes = pageOf(file, page);
    bytes.writeUInt16LE(0xffff, header.count);
    bytes.writeUInt32LE(oddNumber(file, random), pageHeaderSize);
    bytes.writeUInt32LE(random.chance(0.5) ? 0 : oddNumber(file, random), pageHeaderSize + 4);
    return `in page ${page}`;
  },
};

/** A copy of `file`, damaged in one to three ways. */
export function mutate(file: Uint8Array, random: Random): Mutant {
  let bytes: Buffer = Buffer.from(file);
  const done: string[] = [];
  const times = random.chance(0.7) ? 1 : random.between(2, 3);
  for (let i = 0; i < times && bytes.length >= 4 * 1024; i++) {
    const name = random.pick(Object.keys(mutations));
    const result = mutations[name]!(bytes, random);
    done.push(`${name}: ${typeof result === "string" ? result : result.what}`);
    if (typeof result !== "string") bytes = result.bytes;
  }
  return { bytes, what: done.join("; ") };
}

function randomPage(file: Buffer, random: Random): number {
  return random.below(Math.floor(file.length / trustedPageSize(file)));
}

function pageOf(file: Buffer, page: number): Buffer {
  const pageSize = trustedPageSize(file);
  return file.subarray(page * pageSize, (page + 1) * pageSize);
}

/** The stated page size, or 1 KiB where an earlier mutation made nonsense of it. */
function trustedPageSize(file: Buffer): number {
  const stated = pageSizeOf(file);
  return stated >= 1024 && stated <= file.length / 4 && stated % 1024 === 0 ? stated : 1024;
}

function oddNumber(file: Buffer, random: Random): number {
  if (random.chance(0.5)) return random.pick(edges);
  if (random.chance(0.5)) return random.below(2 * Math.ceil(file.length / trustedPageSize(file)));
  return random.below(0x1_0000_0000);
}
