/** The objects of kcat or rpk as records; what both have in common. */
import type { RecordSource, SourceInput, SourceItem } from '../input/record-source.js'
import { badItem } from '../input/record-source.js'
import type { ParsedRecord } from '../print/parsed-record.js'
import type { ByteValue } from './json-bytes.js'
import { textOfValue } from './json-bytes.js'
import { JsonObjectSplitter } from './json-objects.js'

export interface ObjectFormat {
  /** The fields that are understood. Another one is warned of, once, and ignored. */
  readonly fields: readonly string[]
  /** Throws LOGQ_INVALID_RECORD. */
  readonly parse: (bytes: Buffer) => { readonly members: ReadonlyMap<string, ByteValue>; readonly parsed: ParsedRecord }
}

/** A byte takes up to six characters in JSON; and then there are the fields beside key and value. */
const TEXT_FACTOR = 6
const OTHER_FIELDS_BYTES = 1 << 16
/** So many unknown fields are named, and no more. */
const MAX_NAMED_FIELDS = 10

export class ObjectSource implements RecordSource {
  readonly #splitter: JsonObjectSplitter
  readonly #known: Set<string>
  #warnings: string[] = []
  #namedCount = 0
  #topic: string | undefined
  #hasManyTopics = false

  constructor(
    private readonly source: SourceInput,
    private readonly format: ObjectFormat,
  ) {
    const limitBytes = () => TEXT_FACTOR * source.recordLimitBytes() + OTHER_FIELDS_BYTES
    this.#splitter = new JsonObjectSplitter(source.input, limitBytes, source.pace)
    this.#known = new Set(format.fields)
  }

  async next(): Promise<SourceItem | undefined> {
    // What the last object made known; reading it was the caller's.
    await this.#say()
    const found = await this.#splitter.next()
    if (found === undefined) return undefined
    const { line } = found
    return found.kind === 'bad' ? badItem(line, found.error) : { line, read: () => this.#read(found.bytes, line) }
  }

  #read(bytes: Buffer, line: number): ParsedRecord {
    const { members, parsed } = this.format.parse(bytes)
    for (const name of members.keys()) if (!this.#known.has(name)) this.#note(name, line)
    this.#noteTopic(members.get('topic'), line)
    return parsed
  }

  #note(name: string, line: number): void {
    if (this.#namedCount === MAX_NAMED_FIELDS) return
    this.#namedCount += 1
    this.#known.add(name)
    const shown = Buffer.from(name, 'latin1').toString('utf8')
    this.#warnings.push(`line ${line}: the field '${shown}' is ignored, here and wherever else it stands`)
  }

  /** Records of several topics become one topic: that may be meant, but should be known. */
  #noteTopic(value: ByteValue | undefined, line: number): void {
    const topic = value === undefined ? undefined : textOfValue("'topic'", value)
    if (topic === undefined || this.#hasManyTopics) return
    this.#topic ??= topic
    if (topic === this.#topic) return
    this.#hasManyTopics = true
    this.#warnings.push(`line ${line}: a record of topic '${topic}', where those before were of '${this.#topic}'`)
  }

  async #say(): Promise<void> {
    const warnings = this.#warnings
    this.#warnings = []
    for (const warning of warnings) await this.source.warn(`${this.source.name}: ${warning}`)
  }
}
