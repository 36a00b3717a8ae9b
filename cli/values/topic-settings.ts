/** NAME=VALUE operands of the topic commands. */
import { parseSetting, settingOf, type TopicOverrides } from '../../lib/store/topic-config.js'
import { usageError } from '../errors.js'

/** `default` takes a setting back to its default: null in the result. */
export function parseSettings(words: readonly string[]): Record<string, number | string | null> {
  const settings: Record<string, number | string | null> = {}
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals <= 0) throw usageError(`'${word}' is not NAME=VALUE`, 'for example retention.ms=7d')
    const [name, value] = [word.slice(0, equals), word.slice(equals + 1)]
    settingOf(name)
    if (Object.hasOwn(settings, name)) throw usageError(`${name} is given twice`)
    settings[name] = value === 'default' ? null : parseSetting(name, value)
  }
  return settings
}

export function withoutDefaults(settings: Readonly<Record<string, number | string | null>>): TopicOverrides {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
}
