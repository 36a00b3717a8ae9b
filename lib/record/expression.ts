/**
 * Expressions over a record in CEL (Common Expression Language), in a typed environment: topic, key and text (the value as a
 * string) are strings, value is the value parsed as JSON when it is asked for, headers a map of strings, timestamp a
 * google.protobuf.Timestamp. `murmur2(string)` is Kafka's hash, made positive. The home of the CEL package, which is loaded when
 * the first expression is compiled.
 */
import { murmur2, toPositive } from '../bytes/murmur2.js'
import { LogqError } from '../errors.js'
import type { Header } from './record.js'

export interface ExpressionRecord {
  readonly topic: string
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  readonly timestampMs: number
}

export interface NumberExpression {
  /** Throws LOGQ_INVALID_RECORD when it fails on this record, or gives no whole number. */
  evaluate(record: ExpressionRecord): number
}

/** Throws LOGQ_USAGE, with what is wrong, for text that is no expression, names an unknown variable, or cannot give a number. */
export async function compileNumberExpression(text: string): Promise<NumberExpression> {
  const { Environment } = await import('@marcbachmann/cel-js')
  const environment = new Environment()
    .registerVariable('topic', 'string')
    .registerVariable('key', 'string')
    .registerVariable('text', 'string')
    .registerVariable('value', 'dyn')
    .registerVariable('headers', 'map<string, string>')
    .registerVariable('timestamp', 'google.protobuf.Timestamp')
    .registerFunction('murmur2(string): int', (key: string) => BigInt(toPositive(murmur2(Buffer.from(key)))))
  const checked = environment.check(text)
  if (!checked.valid) throw wrong(text, checked.error?.message ?? 'it is not valid')
  if (!['int', 'uint', 'double', 'dyn'].includes(String(checked.type)))
    throw wrong(text, `it gives a ${String(checked.type)}, not a number`)
  const evaluate = environment.parse(text)
  return {
    evaluate(record) {
      let result: unknown
      try {
        result = evaluate(new Variables(record))
      } catch (error) {
        throw failed(text, error instanceof Error ? firstLine(error.message) : String(error))
      }
      const number = typeof result === 'bigint' ? Number(result) : result
      if (typeof number === 'number' && Number.isSafeInteger(number)) return number
      throw failed(text, 'it gives no whole number')
    },
  }
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

  get value(): unknown {
    const value: unknown = JSON.parse(this.text)
    return value
  }

  /** The last of the headers of one name. */
  get headers(): Map<string, string> {
    return new Map(this.#record.headers.map(({ key, value }) => [key, asText(value)]))
  }

  get timestamp(): Date {
    return new Date(this.#record.timestampMs)
  }
}

function asText(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

function wrong(text: string, why: string): LogqError {
  return new LogqError('LOGQ_USAGE', `the expression '${text}' cannot be used: ${firstLine(why)}`, {
    hint: 'variables are topic, key, text, value, headers and timestamp; for example: int(value.user) % 4',
  })
}

function failed(text: string, why: string): LogqError {
  return new LogqError('LOGQ_INVALID_RECORD', `the expression '${text}' fails on it: ${why}`)
}
