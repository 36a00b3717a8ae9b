/**
 * The configuration table of a topic: the one place for names, units, defaults, ranges and meanings. `logq topic set`, the man page,
 * validation and the log read it. Names and meanings are Kafka's; some defaults differ (format-spec/topic.md says why).
 */
import { BYTES_PER_UNIT, MS_PER_UNIT } from '../bytes/units.js'
import { LogqError } from '../errors.js'

const DAY_MS = 24 * 3_600_000
const MIB = 1 << 20

export interface NumberSetting {
  readonly kind: 'number'
  readonly unit: 'ms' | 'bytes' | 'count' | 'ratio'
  readonly default: number
  readonly minimum: number
  readonly maximum: number
  readonly meaning: string
}

export interface ChoiceSetting {
  readonly kind: 'choice'
  readonly default: string
  readonly choices: readonly string[]
  readonly meaning: string
}

export interface TextSetting {
  readonly kind: 'text'
  readonly default: string
  /** What it may be, beside its default; and in words. */
  readonly pattern: RegExp
  readonly rule: string
  readonly meaning: string
}

export type Setting = NumberSetting | ChoiceSetting | TextSetting

const MAX_INT32 = 0x7fff_ffff

export const TOPIC_SETTINGS = {
  'retention.ms': number('ms', 14 * DAY_MS, -1, Number.MAX_SAFE_INTEGER, 'age at which retain removes a segment; -1 for never'),
  'retention.bytes': number(
    'bytes',
    -1,
    -1,
    Number.MAX_SAFE_INTEGER,
    'size of a partition above which retain removes its oldest segments; -1 for no limit',
  ),
  'segment.bytes': number('bytes', 64 * MIB, 256, MAX_INT32, 'size at which a segment is full and the next one begins'),
  'segment.ms': number('ms', DAY_MS, 1, Number.MAX_SAFE_INTEGER, 'span of timestamps after which the next segment begins'),
  'index.interval.bytes': number('bytes', 4096, 0, MAX_INT32, 'bytes of records between two entries of an index'),
  'max.message.bytes': number(
    'bytes',
    16 * MIB,
    128,
    MAX_INT32 - 65_536,
    'largest record that is accepted, with its key and headers, before compression',
  ),
  'cleanup.policy': choice(
    'delete',
    ['delete', 'compact', 'compact,delete'],
    'what retain and compact may do with old records',
  ),
  'delete.retention.ms': number('ms', DAY_MS, 0, Number.MAX_SAFE_INTEGER, 'time for which compaction keeps a tombstone'),
  'min.cleanable.dirty.ratio': number('ratio', 0.5, 0, 1, 'part of a log that must be new for compact to go over it'),
  'min.compaction.lag.ms': number('ms', 0, 0, Number.MAX_SAFE_INTEGER, 'age below which compact leaves records alone'),
  'max.compaction.lag.ms': number(
    'ms',
    Number.MAX_SAFE_INTEGER,
    1,
    Number.MAX_SAFE_INTEGER,
    'age at which a record makes compact go over a log, whatever is new in it',
  ),
  'min.insync.replicas': number('count', 1, 1, 1000, 'in-sync replicas that --acks all asks for'),
  'compression.type': choice(
    'producer',
    ['producer', 'none', 'gzip', 'snappy', 'lz4', 'zstd'],
    "codec of new batches; 'producer' leaves it to produce -z",
  ),
  'archive.required': choice('false', ['false', 'true'], 'whether retain keeps what is not archived yet'),
  'archive.location': {
    kind: 'text',
    default: '',
    pattern: /^(\/|s3:\/\/[^/])[^\p{Cc}]*$/u,
    rule: 'an absolute path, or s3://BUCKET/PREFIX',
    meaning: 'where readers find archived segments that are no longer here',
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof TOPIC_SETTINGS
/** Only what differs from the defaults, as the topic file holds it. */
export type TopicOverrides = Partial<Record<SettingName, number | string>>

/** Every setting with its effective value. */
export class TopicConfig {
  constructor(readonly overrides: TopicOverrides) {}

  number(
    name: { [Name in SettingName]: (typeof TOPIC_SETTINGS)[Name] extends NumberSetting ? Name : never }[SettingName],
  ): number {
    const value = this.overrides[name]
    return typeof value === 'number' ? value : TOPIC_SETTINGS[name].default
  }

  choice(
    name: { [Name in SettingName]: (typeof TOPIC_SETTINGS)[Name] extends ChoiceSetting ? Name : never }[SettingName],
  ): string {
    const value = this.overrides[name]
    return typeof value === 'string' ? value : TOPIC_SETTINGS[name].default
  }

  text(name: { [Name in SettingName]: (typeof TOPIC_SETTINGS)[Name] extends TextSetting ? Name : never }[SettingName]): string {
    const value = this.overrides[name]
    return typeof value === 'string' ? value : TOPIC_SETTINGS[name].default
  }
}

/** Parses the text of `NAME=VALUE`'s value. Durations and sizes may have units. Throws LOGQ_USAGE with the range. */
export function parseSetting(name: string, text: string): number | string {
  const setting = settingOf(name)
  if (setting.kind === 'choice') {
    if (setting.choices.includes(text)) return text
    throw new LogqError('LOGQ_USAGE', `'${text}' is not a value of ${name}`, { hint: `one of: ${setting.choices.join(' ')}` })
  }
  if (setting.kind === 'text') {
    if (text === setting.default || setting.pattern.test(text)) return text
    throw new LogqError('LOGQ_USAGE', `'${text}' is not a value of ${name}`, { hint: setting.rule })
  }
  const value = text === '-1' ? -1 : parseNumber(text, setting.unit)
  if (value === undefined || value < setting.minimum || value > setting.maximum) {
    throw new LogqError('LOGQ_USAGE', `'${text}' is not a value of ${name}`, {
      hint: `${setting.unit === 'ratio' ? 'a' : 'a whole'} number from ${setting.minimum} to ${setting.maximum}${unitHint(setting.unit)}`,
    })
  }
  return value
}

/**
 * Settings as they are stored: units resolved, null (back to the default) kept. Throws LOGQ_USAGE for a name or value that
 * cannot be.
 */
export function resolveSettings(
  settings: Readonly<Record<string, number | string | null>>,
): Record<string, number | string | null> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      settingOf(name)
      return [name, value === null ? null : parseSetting(name, String(value))]
    }),
  )
}

/** Checks what a topic file holds; a name that this program does not know, or a value out of range, is refused. */
export function checkOverrides(value: unknown, file: string): TopicOverrides {
  const overrides: TopicOverrides = {}
  if (typeof value !== 'object' || value === null) throw damaged(file, "'config' is not an object")
  for (const [name, setting] of Object.entries(value)) {
    if (!isSettingName(name)) throw damaged(file, `'${name}' is not a setting`)
    if (typeof setting !== 'number' && typeof setting !== 'string') throw damaged(file, `'${name}' has no number or text`)
    if (!isValue(name, setting)) throw damaged(file, `'${name}' has the value '${String(setting)}'`)
    overrides[name] = setting
  }
  return overrides
}

/** Whether a setting may have a value, as the topic file holds it. */
function isValue(name: SettingName, value: number | string): boolean {
  try {
    return parseSetting(name, String(value)) === value
  } catch {
    return false
  }
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(TOPIC_SETTINGS, name)
}

export function settingOf(name: string): Setting {
  if (isSettingName(name)) return TOPIC_SETTINGS[name]
  throw new LogqError('LOGQ_USAGE', `'${name}' is not a setting of a topic`, {
    hint: `one of: ${Object.keys(TOPIC_SETTINGS).join(' ')}`,
  })
}

const UNITS: Readonly<Record<NumberSetting['unit'], Readonly<Record<string, number>>>> = {
  ms: MS_PER_UNIT,
  bytes: BYTES_PER_UNIT,
  count: { '': 1 },
  ratio: { '': 1 },
}

function parseNumber(text: string, unit: NumberSetting['unit']): number | undefined {
  if (unit === 'ratio') return /^(0|[1-9]\d*)(\.\d{1,9})?$/.test(text) ? Number(text) : undefined
  const match = /^(0|[1-9]\d*)([a-zA-Z]*)$/.exec(text)
  if (match === null) return undefined
  const suffix = match[2] ?? ''
  const factor = Object.hasOwn(UNITS[unit], suffix) ? UNITS[unit][suffix] : undefined
  const value = Number(match[1]) * (factor ?? NaN)
  return Number.isSafeInteger(value) ? value : undefined
}

function unitHint(unit: NumberSetting['unit']): string {
  if (unit === 'ms') return ', in ms or with a unit such as 90s, 12h, 7d'
  if (unit === 'bytes') return ', in bytes or with a unit such as 64MiB, 10GB'
  return ''
}

function number(unit: NumberSetting['unit'], value: number, minimum: number, maximum: number, meaning: string): NumberSetting {
  return { kind: 'number', unit, default: value, minimum, maximum, meaning }
}

function choice(value: string, choices: readonly string[], meaning: string): ChoiceSetting {
  return { kind: 'choice', default: value, choices, meaning }
}

function damaged(file: string, what: string): LogqError {
  return new LogqError('LOGQ_CORRUPT', `'${file}' cannot be used: ${what}`, { hint: 'correct the file by hand, or restore it' })
}
