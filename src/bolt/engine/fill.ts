import type { Node } from "./node.js";

/** As in bbolt: room on both sides of a split for keys to come. */
export const defaultFillPercent = 0.5;

/** How full pages are made when a node is split. */
export class Fill {
  readonly pageSize: number;
  readonly #percent: number | undefined;

  constructor(pageSize: number, percent: number | undefined) {
    this.pageSize = pageSize;
    this.#percent = percent;
  }

  /** The bytes that a page of this node may take. Where keys come in order nothing will be put in between them later. */
  bytesOf(node: Node): number {
    const percent = this.#percent ?? (node.keysComeInOrder ? 1 : defaultFillPercent);
    return Math.floor(this.pageSize * Math.min(Math.max(percent, 0.1), 1));
  }
}
