/** A place in a {@link LinkedList}; who holds it can take the item out again. */
export interface Link<T> {
  readonly item: T;
}

class Node<T> implements Link<T> {
  readonly item: T;
  next: Node<T> | undefined = undefined;
  previous: Node<T> | undefined;

  constructor(item: T, previous: Node<T> | undefined) {
    this.item = item;
    this.previous = previous;
  }
}

/**
 * Items in the order in which they came, each of which may leave at any time: for those that come and go all the time, where
 * V8's `Set` does harm. It leaves old tables behind, each with a pointer to the next, so that one among the old objects keeps
 * all later ones alive, and whatever was in them, until the next full collection: of calls, everything that any has held.
 */
export class LinkedList<T> {
  #first: Node<T> | undefined;
  #last: Node<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The oldest item. */
  get first(): T | undefined {
    return this.#first?.item;
  }

  add(item: T): Link<T> {
    const node = new Node(item, this.#last);
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size++;
    return node;
  }

  /** Takes out an item that is in this list; each link once. */
  remove(link: Link<T>): void {
    const node = link as Node<T>;
    const { next, previous } = node;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    // An old node would otherwise keep its younger neighbours alive.
    node.next = node.previous = undefined;
    this.#size--;
  }

  /** All items as they are now, the oldest first. */
  toArray(): T[] {
    const items: T[] = [];
    for (let node = this.#first; node !== undefined; node = node.next) items.push(node.item);
    return items;
  }
}
