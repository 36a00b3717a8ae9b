import test from 'ava'
import fc from 'fast-check'
import { EMPTY_GROUP, groupStateName, type GroupState } from '../../../lib/store/group/group-state.js'
import {
  acknowledge,
  isOutOfDate,
  isOwner,
  partitionsOf,
  replan,
  withMember,
  withSuccessor,
  withoutMembers,
} from '../../../lib/consume/group/plan.js'

const counts = new Map([['t', 4]])
const wants = { topics: ['t'] }

function join(state: GroupState, member: string): GroupState {
  return replan(withMember(state, member, wants), counts)
}

function owned(state: GroupState, member: string): number[] {
  return partitionsOf(state, member).owned.map(({ partition }) => partition)
}

test('the first member owns everything at once', (t) => {
  const state = join(EMPTY_GROUP, 'a')
  t.is(state.generation, 1)
  t.deepEqual(owned(state, 'a'), [0, 1, 2, 3])
})

test('a partition that is to move stays with its owner until that hands it over', (t) => {
  const one = acknowledge(join(EMPTY_GROUP, 'a'), 'a', () => false)
  t.is(groupStateName(one), 'Stable')
  const two = join(one, 'b')
  t.is(groupStateName(two), 'PreparingRebalance')
  t.deepEqual(owned(two, 'a'), [0, 1, 2, 3])
  t.deepEqual(owned(two, 'b'), [])
  const { kept } = partitionsOf(two, 'a')
  t.is(kept.length, 2)
  const handed = acknowledge(two, 'a', () => false)
  t.is(groupStateName(handed), 'CompletingRebalance')
  t.deepEqual(
    owned(handed, 'a'),
    kept.map(({ partition }) => partition),
  )
  t.is(owned(handed, 'b').length, 2)
  t.is(groupStateName(acknowledge(handed, 'b', () => false)), 'Stable')
})

test('what a member is busy with is handed over later', (t) => {
  const two = join(
    acknowledge(join(EMPTY_GROUP, 'a'), 'a', () => false),
    'b',
  )
  const moving = [0, 1, 2, 3].find((partition) => two.assignment['t']?.[partition] === 'b') ?? -1
  const partly = acknowledge(two, 'a', (_topic, partition) => partition === moving)
  t.true(isOwner(partly, 'a', 't', moving))
  t.is(groupStateName(partly), 'PreparingRebalance')
  t.true(
    isOwner(
      acknowledge(partly, 'a', () => false),
      'b',
      't',
      moving,
    ),
  )
})

test('what a member that is gone owned goes to others at once', (t) => {
  const two = join(join(EMPTY_GROUP, 'a'), 'b')
  const left = replan(withoutMembers(two, ['a']), counts)
  t.deepEqual(owned(left, 'b'), [0, 1, 2, 3])
})

test('a static member gets back what it had', (t) => {
  const two = acknowledge(join(join(EMPTY_GROUP, 'a-1'), 'b'), 'a-1', () => false)
  const before = owned(two, 'a-1')
  const back = replan(withSuccessor(two, 'a-1', 'a-2', wants), counts)
  t.deepEqual(owned(back, 'a-2'), before)
  t.deepEqual(owned(back, 'a-1'), [])
})

test('added partitions, and a topic that is gone, make a plan out of date', (t) => {
  const state = join(EMPTY_GROUP, 'a')
  t.false(isOutOfDate(state, counts))
  t.true(isOutOfDate(state, new Map([['t', 5]])))
  t.true(isOutOfDate(state, new Map()))
  t.deepEqual(owned(replan(state, new Map([['t', 5]])), 'a'), [0, 1, 2, 3, 4])
})

const members = ['a', 'b', 'c', 'd', 'e']
const event = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), member: fc.constantFrom(...members) }),
  fc.record({ kind: fc.constant('gone' as const), member: fc.constantFrom(...members) }),
  fc.record({ kind: fc.constant('acknowledge' as const), member: fc.constantFrom(...members) }),
  fc.record({ kind: fc.constant('partitions' as const), count: fc.integer({ min: 4, max: 9 }) }),
)

test('property: whatever happens, each partition has one owner at most, who is a member, and nobody takes from another', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('range', 'roundrobin', 'cooperative-sticky'),
      fc.array(event, { maxLength: 40 }),
      (assignor, events) => {
        let state: GroupState = { ...EMPTY_GROUP, assignor }
        let count = 4
        for (const step of events) {
          const before = state
          const present = new Map([['t', count]])
          if (step.kind === 'join') state = replan(withMember(state, step.member, wants), present)
          else if (step.kind === 'gone') state = replan(withoutMembers(state, [step.member]), present)
          else if (step.kind === 'acknowledge') state = acknowledge(state, step.member, () => false)
          else {
            count = Math.max(count, step.count)
            state = replan(state, new Map([['t', count]]))
          }
          t.true(state.generation >= before.generation)
          for (const [partition, owner] of (state.owners['t'] ?? []).entries()) {
            if (owner !== null) t.true(state.members[owner] !== undefined)
            const previous = before.owners['t']?.[partition] ?? null
            // An owner loses a partition by handing it over itself, or by being gone.
            if (previous !== null && previous !== owner)
              t.true(
                (step.kind === 'acknowledge' && step.member === previous) || (step.kind === 'gone' && step.member === previous),
              )
          }
        }
        for (const member of Object.keys(state.members)) state = acknowledge(state, member, () => false)
        t.true(['Empty', 'Stable'].includes(groupStateName(state)))
        // Nobody is left out where there is somebody.
        if (Object.keys(state.members).length > 0) t.false((state.owners['t'] ?? []).includes(null))
      },
    ),
    { numRuns: 300 },
  )
})
