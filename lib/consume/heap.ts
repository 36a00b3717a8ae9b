/** A binary heap: the first of many by an order that holds while they stand in it. */
export class Heap<Item> {
  readonly #items: Item[] = []

  constructor(private readonly isBefore: (a: Item, b: Item) => boolean) {}

  get first(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    this.#items.push(item)
    for (let at = this.#items.length - 1; at > 0;) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfBefore(at, parent)) return
      at = parent
    }
  }

  /** The first one has changed: puts it where it belongs by now. */
  moveFirst(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1
      const least = this.#isBefore(left + 1, left) ? left + 1 : left
      if (!this.#swapIfBefore(least, at)) return
      at = least
    }
  }

  removeFirst(): void {
    const last = this.#items.pop()
    if (last === undefined || this.#items.length === 0) return
    this.#items[0] = last
    this.moveFirst()
  }

  #swapIfBefore(a: number, b: number): boolean {
    if (!this.#isBefore(a, b)) return false
    const [itemA, itemB] = [this.#items[a], this.#items[b]]
    if (itemA === undefined || itemB === undefined) return false
    this.#items[a] = itemB
    this.#items[b] = itemA
    return true
  }

  /** False for places that are empty. */
  #isBefore(a: number, b: number): boolean {
    const [itemA, itemB] = [this.#items[a], this.#items[b]]
    return itemA !== undefined && itemB !== undefined && this.isBefore(itemA, itemB)
  }
}
