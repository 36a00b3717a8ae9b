/** How far the inputs of one `produce` were read: gives each item a number over all inputs, and says in words where that is. */
export class InputProgress {
  /** Items read so far, of all inputs. */
  itemCount = 0
  /** Those of them that were named as bad. */
  badCount = 0
  readonly #inputs: { readonly name: string; readonly itemsBefore: number }[] = []

  constructor(readonly unit: 'line' | 'batch' | 'record' | 'file') {}

  /** The next input begins. */
  begin(name: string): void {
    this.#inputs.push({ name, itemsBefore: this.itemCount })
  }

  /** `access.log: line 12`, for an item's number. */
  label(item: number): string {
    const { name, line } = this.#locate(item)
    return this.unit === 'file' ? name : `${name}: ${this.unit} ${line}`
  }

  /** `line 12 of 'access.log'`. */
  place(item: number): string {
    const { name, line } = this.#locate(item)
    return this.unit === 'file' ? `'${name}'` : `${this.unit} ${line} of '${name}'`
  }

  #locate(item: number): { name: string; line: number } {
    const input = this.#inputs.findLast(({ itemsBefore }) => itemsBefore < item) ?? this.#inputs[0]
    return input === undefined ? { name: 'input', line: item } : { name: input.name, line: item - input.itemsBefore }
  }
}
