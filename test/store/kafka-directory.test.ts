import test from 'ava'
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CODECS } from '../../lib/record/compression.js'
import { fixture, projectRoot } from '../helpers/project.js'
import { makeCli, type TestLike } from '../helpers/run-cli.js'

// A log.dir of Kafka's (test/fixtures/kafka) in place of a store.

test('what Kafka wrote is printed from its own directory, each topic by name, and nothing in it changes', async (t) => {
  const { cli, logDirectory } = kafkaDirectory(t)
  const before = snapshot(logDirectory)
  const listed = await cli.logq(['topic', 'ls'])
  const topics = readdirSync(logDirectory).flatMap((name) => (name.endsWith('-0') ? [name.slice(0, -2)] : []))
  t.deepEqual(listed.stdout.toString().trim().split('\n'), topics.sort())
  t.true(CODECS.every((codec) => topics.includes(`kafka-${codec}`)))
  for (const codec of CODECS) {
    const { stdout, stderr, status } = await cli.logq(['cat', '-J', `kafka-${codec}`])
    t.is(status, 0, stderr)
    t.deepEqual(offsets(stdout), offsets(fixture(`kafka/kafka-${codec}.expected.jsonl`)))
  }
  t.deepEqual(snapshot(logDirectory), before)
})

test("Kafka's log-start-offset-checkpoint is where a partition begins", async (t) => {
  const { cli, logDirectory } = kafkaDirectory(t)
  writeFileSync(join(logDirectory, 'log-start-offset-checkpoint'), '0\n2\nkafka-none 0 46\nother 0 1\n')
  const { stdout } = await cli.logq(['cat', '-J', '-n', '1', 'kafka-none'])
  t.deepEqual(offsets(stdout), [46])
})

test('an offset in a gap, a time and the last records are found by the indexes that Kafka wrote', async (t) => {
  const { cli } = kafkaDirectory(t)
  const first = async (spec: string) => offsets((await cli.logq(['cat', '-J', '-n', '1', '-o', spec, 'kafka-lz4'])).stdout)
  t.deepEqual(await first('55'), [59])
  t.deepEqual(await first('@1700000000250'), [41])
  t.deepEqual(await first('@1700000000777'), [46])
  t.deepEqual(await first('@1700000000778'), [])
  t.deepEqual(offsets((await cli.logq(['tail', '-J', '-n', '3', 'kafka-lz4'])).stdout), [61, 63, 64])
})

test('a directory of Kafka takes no records', async (t) => {
  const { cli, logDirectory } = kafkaDirectory(t)
  const before = snapshot(logDirectory)
  const appended = await cli.shell('echo x | logq produce kafka-none')
  t.is(appended.status, 1)
  t.regex(appended.stderr, /Kafka/)
  t.is((await cli.shell('echo x | logq produce new-topic')).status, 1)
  t.is((await cli.logq(['topic', 'rm', '-y', 'kafka-none'])).status, 1)
  t.deepEqual(snapshot(logDirectory), before)
})

test('directories that Kafka is about to delete, move or keep for itself are no topics', async (t) => {
  const { cli, logDirectory } = kafkaDirectory(t)
  const unused = [
    'gone-0.5f0ab1d0c0f84a21a86a1f9a1c1b1f11-delete',
    'moved-0.5f0ab1d0c0f84a21a86a1f9a1c1b1f11-future',
    'lost-0.5f0ab1d0c0f84a21a86a1f9a1c1b1f11-stray',
    '__cluster_metadata-0',
  ]
  const before = await cli.logq(['topic', 'ls'])
  for (const name of unused) cpSync(join(logDirectory, 'kafka-none-0'), join(logDirectory, name), { recursive: true })
  t.deepEqual((await cli.logq(['topic', 'ls'])).stdout, before.stdout)
})

function kafkaDirectory(t: TestLike) {
  const cli = makeCli(t)
  const logDirectory = cli.store
  mkdirSync(logDirectory)
  cpSync(join(projectRoot, 'test/fixtures/kafka'), logDirectory, { recursive: true })
  writeFileSync(join(logDirectory, 'meta.properties'), 'version=1\nnode.id=1\n')
  return { cli, logDirectory }
}

function offsets(jsonLines: Buffer): number[] {
  const lines = jsonLines.toString().split('\n').slice(0, -1)
  return lines.map((line) => (JSON.parse(line) as { offset: number }).offset)
}

/** Every file with its size and bytes. */
function snapshot(directory: string): unknown[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(directory, name)
      return statSync(path).isFile() ? [name, readFileSync(path).toString('base64')] : [name]
    })
}
