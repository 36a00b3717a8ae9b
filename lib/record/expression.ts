/**
 * Expressions over a record in CEL (Common Expression Language), in a typed environment: topic, key and text (the value as a
 * string) are strings, value is the value parsed as JSON when it is asked for, headers a map of strings, timestamp a
 * google.protobuf.Timestamp; of a record that is in a log, offset and partition are ints. `murmur2(string)` is Kafka's hash, made
 * positive. JSON knows one kind of number, so doubles and ints may be mixed in arithmetic, which CEL itself does not allow. The home
 * of the CEL package, which is loaded when the first expression is compiled.
 */
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { murmur2, toPositive } from '../bytes/murmur2.js'
import { LogqError, isLogqError } from '../errors.js'
import type { Header } from './record.js'

export interface ExpressionRecord {
  readonly topic: string
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  /** -1 for none. */
  readonly timestampMs: number | bigint
}

/** A record that is in a log. */
export interface StoredExpressionRecord extends ExpressionRecord {
  readonly partition: number
  readonly offset: number
}

export interface NumberExpression {
  /** Throws LOGQ_INVALID_RECORD when it fails on this record, or gives no whole number. */
  evaluate(record: ExpressionRecord): number
}

/** Whether records are wanted. */
export interface RecordFilter {
  /**
   * False for a record on which the expression fails or gives no boolean; `failedCount` counts those. Reads of the record only what
   * it needs to decide. Throws LOGQ_RECORD_TOO_LARGE for a value that it asks for and that is too large to be text.
   */
  matches(record: StoredExpressionRecord): boolean
  /** Records on which it failed so far, and what the first failure was. */
  readonly failedCount: number
  readonly firstFailure: string | undefined
}

/** Throws LOGQ_USAGE, with what is wrong, for text that is no expression, names an unknown variable, or cannot give a number. */
export async function compileNumberExpression(text: string): Promise<NumberExpression> {
  const environment = await recordEnvironment()
  checkType(environment, text, ['int', 'uint', 'double', 'dyn'], 'a number', 'int(value.user) % 4')
  const evaluate = environment.parse(text)
  return {
    evaluate(record) {
      let result: unknown
      try {
        result = evaluate(new Variables(record))
      } catch (error) {
        throw isLogqError(error) ? error : failed(text, reasonOf(error))
      }
      const number = typeof result === 'bigint' ? Number(result) : result
      if (typeof number === 'number' && Number.isSafeInteger(number)) return number
      throw failed(text, 'it gives no whole number')
    },
  }
}

/**
 * Throws LOGQ_USAGE for text that is no expression, names an unknown variable, or cannot give a boolean. What an expression asks
 * with && is asked in the order of its cost: conditions on topic, key, headers, timestamp, partition and offset come before those
 * on the value, which is then not decoded for a record that the former refuse.
 */
export async function compileRecordFilter(text: string): Promise<RecordFilter> {
  const environment = (await recordEnvironment()).registerVariable('partition', 'int').registerVariable('offset', 'int')
  checkType(environment, text, ['bool', 'dyn'], 'true or false', 'key == "u1" && value.total > 100')
  const { serialize } = await import('@marcbachmann/cel-js')
  const ordered = cheapestFirst(environment.parse(text).ast)
  const conditions = ordered.map((condition) => environment.parse(serialize(condition)))
  const filter = {
    failedCount: 0,
    firstFailure: undefined as string | undefined,
    matches(record: StoredExpressionRecord): boolean {
      const variables = new StoredVariables(record)
      try {
        for (const condition of conditions) {
          const result: unknown = condition(variables)
          if (result === false) return false
          if (result !== true) throw new Error('it gives neither true nor false')
        }
        return true
      } catch (error) {
        if (isLogqError(error)) throw error
        filter.failedCount += 1
        filter.firstFailure ??= `${record.topic}:${record.partition}@${record.offset}: ${reasonOf(error)}`
        return false
      }
    },
  }
  return filter
}

async function recordEnvironment(): Promise<Environment> {
  const { Environment } = await import('@marcbachmann/cel-js')
  const environment = new Environment()
    .registerVariable('topic', 'string')
    .registerVariable('key', 'string')
    .registerVariable('text', 'string')
    .registerVariable('value', 'dyn')
    .registerVariable('headers', 'map<string, string>')
    .registerVariable('timestamp', 'google.protobuf.Timestamp')
    .registerFunction('murmur2(string): int', (key: string) => BigInt(toPositive(murmur2(Buffer.from(key)))))
  for (const [operator, compute] of Object.entries(mixedArithmetic)) {
    environment.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) => compute(a, Number(b)))
    environment.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) => compute(Number(a), b))
  }
  return environment
}

const mixedArithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}

function checkType(environment: Environment, text: string, types: readonly string[], wanted: string, example: string): void {
  // Types and namespaces of CEL are variables too, which nobody asks for.
  const variables = environment
    .getDefinitions()
    .variables.flatMap(({ name, type }) => (/\btype\b|Namespace$/.test(type) ? [] : name))
  const hint = `variables are ${variables.join(', ')}; for example: ${example}`
  const checked = environment.check(text)
  if (!checked.valid) throw wrong(text, checked.error?.message ?? 'it is not valid', hint)
  if (!types.includes(String(checked.type))) throw wrong(text, `it gives ${String(checked.type)}, not ${wanted}`, hint)
}

/** The conditions that && joins, those that do not ask for the value first. CEL's && gives the same in any order. */
function cheapestFirst(node: ASTNode): ASTNode[] {
  const conditions = conjuncts(node)
  return [...conditions.filter((each) => !asksForValue(each)), ...conditions.filter(asksForValue)]
}

function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node]
}

/** Whether `value` or `text` is named anywhere below a node. A name that a macro binds may hide them, which costs only the order. */
function asksForValue(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(asksForValue)
  if (typeof node !== 'object' || node === null || !('op' in node) || !('args' in node)) return false
  return node.op === 'id' ? node.args === 'value' || node.args === 'text' : asksForValue(node.args)
}

/** Decodes what the expression asks for, and nothing else. */
class Variables {
  readonly #record: ExpressionRecord

  constructor(record: ExpressionRecord) {
    this.#record = record
  }

  get topic(): string {
    return this.#record.topic
  }

  /** A null key is empty text. */
  get key(): string {
    return asText(this.#record.key)
  }

  get text(): string {
    return asText(this.#record.value)
  }

  /** A tombstone's is null. */
  get value(): unknown {
    if (this.#record.value === null) return null
    const value: unknown = JSON.parse(this.text)
    return value
  }

  /** The last of the headers of one name. */
  get headers(): Map<string, string> {
    return new Map(this.#record.headers.map(({ key, value }) => [key, asText(value)]))
  }

  get timestamp(): Date {
    return new Date(Number(this.#record.timestampMs))
  }
}

/** Of a record that is in a log. */
class StoredVariables extends Variables {
  readonly #stored: StoredExpressionRecord

  constructor(record: StoredExpressionRecord) {
    super(record)
    this.#stored = record
  }

  get partition(): bigint {
    return BigInt(this.#stored.partition)
  }

  get offset(): bigint {
    return BigInt(this.#stored.offset)
  }
}

/** Longer bytes are not made text of: JavaScript's strings end at 512 MiB, and a record may hold anything. */
export const MAX_TEXT_BYTES = 256 << 20

function asText(bytes: Uint8Array | null): string {
  if (bytes !== null && bytes.length > MAX_TEXT_BYTES) {
    throw new LogqError('LOGQ_RECORD_TOO_LARGE', `${bytes.length} bytes are too large for an expression`, {
      hint: 'above 256 MiB a record is read with the value and batch formats only',
    })
  }
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? firstLine(error.message) : String(error)
}

function wrong(text: string, why: string, hint: string): LogqError {
  return new LogqError('LOGQ_USAGE', `the expression '${text}' cannot be used: ${firstLine(why)}`, { hint })
}

function failed(text: string, why: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', `the expression '${text}' fails on it: ${why}`)
}
