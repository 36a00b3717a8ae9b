/**
 * What a fault may cost at each level of --acks: the table of ordering.md, row by row. Where it says 'nothing', every acknowledged
 * record is there; where it says more, that much can be lost, and no more is.
 */
import test, { type ExecutionContext } from 'ava'
import { acksCosts } from '../../cli/produce/acks-costs.js'
import { command as produceCommand } from '../../cli/commands/produce.js'
import { readPage } from '../format-spec/text-examples.js'
import { tableBelow } from '../helpers/markdown.js'
import { checkDamage, checkFailedFsync, checkFullDisk, checkLyingDisk, checkPowerCut } from './disk-faults.js'
import { checkKilledBeside, checkKilledProducer, checkKilledTogether } from './kills.js'

export type Acks = 0 | 1

/** Throws, or fails the test, when a fault costs other records than `cost` says. */
type Check = (t: ExecutionContext, acks: Acks, cost: string) => Promise<void>

const checks: Readonly<Record<string, Check>> = {
  'the producer is killed (kill -9)': checkKilledProducer,
  'another process that uses the store is killed': checkKilledBeside,
  'memory runs out and the kernel kills processes': checkKilledTogether,
  'the power is cut': checkPowerCut,
  'the disk is full': checkFullDisk,
  'an fsync fails (EIO)': checkFailedFsync,
  'the disk says that it has synced, the power is cut': checkLyingDisk,
  'bytes on the disk are damaged': checkDamage,
}

test('the table of ordering.md is that of logq-produce(1), and each row has its check', (t) => {
  const rows = tableBelow(readPage('ordering.md'), '### What a fault may cost')
  t.deepEqual(
    rows,
    acksCosts.map(({ fault, acks0, acks1 }) => [fault, acks0, acks1, 'not there yet']),
  )
  t.deepEqual(
    Object.keys(checks),
    acksCosts.map(({ fault }) => fault),
  )
  const page = produceCommand.man.description.join('\n')
  for (const { fault, acks0, acks1 } of acksCosts) {
    const costs = acks0 === acks1 ? [acks0] : [`--acks 0: ${acks0}`, `--acks 1: ${acks1}`]
    t.true(page.includes([fault, ...costs.map((cost) => `    ${cost}`)].map((line) => `    ${line}`).join('\n')), fault)
  }
})

for (const { fault, acks0, acks1 } of acksCosts) {
  for (const [acks, cost] of [acks0, acks1].entries()) {
    test(`with --acks ${acks}, when ${fault}, what is lost is: ${cost}`, async (t) => {
      const check = checks[fault]
      if (check === undefined) throw new Error(`no check for '${fault}'`)
      await check(t, acks === 0 ? 0 : 1, cost)
    })
  }
}
