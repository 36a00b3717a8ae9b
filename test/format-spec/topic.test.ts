import test from 'ava'
import { partitionOfKey } from '../../lib/bytes/murmur2.js'
import { TOPIC_SETTINGS } from '../../lib/store/topic-config.js'
import { formatTopicFile, parseTopicFile, type TopicFile } from '../../lib/store/topic-file.js'
import { fencesOf, tableBelow } from '../helpers/markdown.js'
import { readPage, readTextExamples } from './text-examples.js'

const page = readPage('topic.md')

for (const { text, expected } of readTextExamples('topic.md')) {
  test('topic.md: the text is read as what the page says', (t) => {
    t.deepEqual(parseTopicFile(Buffer.from(text), 'events.json'), expected as TopicFile)
  })

  test('topic.md: what the page says is written as the text', (t) => {
    t.is(Buffer.from(formatTopicFile(expected as TopicFile)).toString(), text)
  })
}

test('topic.md: the keys go to the partitions that the page says', (t) => {
  const [partitions] = fencesOf(page)
    .filter(({ language }) => language === 'json')
    .slice(-1)
    .map(({ text }) => JSON.parse(text) as Record<string, number>)
  t.deepEqual(
    Object.fromEntries(Object.keys(partitions ?? {}).map((key) => [key, partitionOfKey(Buffer.from(key), 4)])),
    partitions,
  )
})

test('topic.md: the table of settings is that of the code', (t) => {
  const number = (cell: string | undefined) => {
    const terms = (cell ?? '').split(' - ').map((term) => {
      const [base, exponent] = term.split('^').map(Number)
      return exponent === undefined ? (base ?? NaN) : (base ?? NaN) ** exponent
    })
    return terms.slice(1).reduce((sum, term) => sum - term, terms[0] ?? NaN)
  }
  const described = tableBelow(page, '## Settings').map(([name, unit, value, smallest, largest, meaning]) => [
    name,
    unit === 'choice' || unit === 'text'
      ? { default: value, meaning }
      : { unit, default: number(value), minimum: number(smallest), maximum: number(largest), meaning },
  ])
  const settings = Object.entries(TOPIC_SETTINGS).map(([name, setting]) => {
    const { default: value, meaning } = setting
    if (setting.kind !== 'number') return [name, { default: value, meaning }]
    const { unit, minimum, maximum } = setting
    return [name, { unit, default: value, minimum, maximum, meaning }]
  })
  t.deepEqual(described, settings)
})

test('topic.md: the choices are those of the code', (t) => {
  for (const setting of Object.values(TOPIC_SETTINGS)) {
    if (setting.kind !== 'choice') continue
    const words = setting.choices.map((choice) => `\`${choice}\``)
    const sentence = `${words.slice(0, -1).join(', ')} or ${words.slice(-1).join('')}`
    t.true(page.replaceAll(/\s+/g, ' ').includes(sentence), sentence)
  }
})
