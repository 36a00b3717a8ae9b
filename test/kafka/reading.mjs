/** Every command of logq's that reads, over a log.dir, against what Kafka's consumer got from it. */
import { check, checkSame } from './checks.mjs'
import { byPartition, isolations } from './consumed.mjs'
import { linesOf } from './logq.mjs'

/**
 * `run` runs a command line of logq's on the log.dir and gives its status and output; `consumed` is what consumed.mjs made. `title` says
 * in which state the log.dir is.
 */
export function checkReading(title, run, consumed) {
  const partitions = [...consumed.values()]
  const topics = [...new Set(partitions.map(({ topic }) => topic))]
  const ask = (args, status = 0) => {
    const done = run(args)
    if (done.status !== status) check(`${title}: logq ${args.join(' ')}`, false, `exit ${done.status}: ${done.stderr}`)
    return done.stdout
  }
  for (const isolation of isolations) {
    // Without the option it is read_committed.
    const options = isolation === 'read_committed' ? [] : ['--isolation', isolation]
    const printed = byPartition(ask(['cat', '-J', ...options, ...topics]))
    const reversed = byPartition(ask(['cat', '-J', '--reverse', ...options, ...topics]))
    for (const topic of topics) {
      const ofTopic = partitions.filter((partition) => partition.topic === topic)
      const wanted = ofTopic.flatMap((partition) => partition[isolation])
      const of = (found) => ofTopic.flatMap(({ partition }) => found.get(`${topic}-${partition}`) ?? [])
      checkSame(`${title}: ${topic}: cat, ${isolation}: ${wanted.length} records`, of(printed), wanted)
      const backwards = ofTopic.flatMap((partition) => partition[isolation].toReversed())
      checkSame(`${title}: ${topic}: cat --reverse, ${isolation}`, of(reversed), backwards)
    }
  }
  checkCounts(title, ask, partitions, topics)
  checkPlaces(title, ask, partitions)
  checkFiles(title, ask, topics)
}

/** stat, tail and digest: of the records that are committed. */
function checkCounts(title, ask, partitions, topics) {
  const counted = linesOf(ask(['stat', '-J', ...topics]))
    .map((line) => JSON.parse(line))
    .filter(({ total }) => total === undefined)
    .map(({ topic, group, recordCount }) => `${topic}-${group} ${recordCount}`)
  const counts = partitions.map(({ topic, partition, read_committed: lines }) => `${topic}-${partition} ${lines.length}`).sort()
  checkSame(`${title}: stat counts the records of ${counts.length} partitions`, counted.sort(), counts)
  const digested = linesOf(ask(['digest', '-J', ...topics]))
    .map((line) => JSON.parse(line))
    .flatMap(({ topic, partitions: parts }) =>
      parts.map(({ partition, recordCount }) => `${topic}-${partition} ${recordCount}`),
    )
  checkSame(`${title}: and so does digest`, digested.sort(), counts)

  for (const topic of ['codec-zstd', 'transactions', 'compacted']) {
    const { read_committed: lines } = partitions.find((one) => one.topic === topic && one.partition === 0)
    const tail = byPartition(ask(['tail', '-J', '-n', '7', '-p', '0', topic])).get(`${topic}-0`)
    checkSame(`${title}: ${topic}: tail`, tail, lines.slice(-7))
  }
}

/** get: at offsets that are there, that never were or are compacted away, and that are deleted. */
function checkPlaces(title, ask, partitions) {
  const places = []
  const records = []
  for (const { topic, partition, read_committed: lines } of partitions.filter((one) => one.partition === 0)) {
    for (let n = 0; n < lines.length; n += Math.ceil(lines.length / 5)) {
      places.push(`${topic}:${partition}@${JSON.parse(lines[n]).offset}`)
      records.push(lines[n])
    }
  }
  checkSame(
    `${title}: get finds ${places.length} records by their places`,
    [...byPartition(ask(['get', '-J', ...places])).values()].flat(),
    records,
  )
  const compacted = partitions.find(({ topic }) => topic === 'compacted')
  const gap = compacted.read_committed.findIndex((line, n) => JSON.parse(line).offset !== n)
  ask(['get', `compacted:0@${gap}`], 3)
  ask(['get', 'trimmed:0@5'], 7)
  check(`${title}: get says that offset ${gap} is compacted away, and that offset 5 of trimmed is deleted`, gap !== -1)
}

function checkFiles(title, ask, topics) {
  const findings = linesOf(ask(['fsck', '-J'])).filter((line) => /"kind":"(damage|cache)"/.test(line))
  checkSame(`${title}: fsck finds nothing wrong`, findings, [])
  const sizes = new Set(linesOf(ask(['du', '-J', ...topics])).map((line) => JSON.parse(line).topic))
  check(
    `${title}: du knows all ${topics.length} topics`,
    topics.every((topic) => sizes.has(topic)),
    [...sizes].join(),
  )
}
