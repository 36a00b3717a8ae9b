/** What a consumer is given to do, step by step. */
import type { BatchSlice } from '../../log/read-partition.js'
import type { TopicPartition } from '../assignors.js'
import type { FollowNotice } from '../follow-topic.js'
import type { PlacedRecord } from '../placed-record.js'
import type { StartOffset } from './start-offset.js'

/** What there is to be done, one after the other. */
export type ConsumerStep =
  /** Records. Say with `delivered` how far they were dealt with. Holds until the next step is asked for. */
  | ({ readonly kind: 'batch'; readonly topic: string } & BatchSlice)
  /**
   * Nothing more at present: what was printed should be flushed. `reached` are partitions in which nothing that is given lies between what
   * was given and that offset: control batches, or what compaction left out. It is to be `delivered` too.
   */
  | { readonly kind: 'pause'; readonly reached: readonly ReachedOffset[] }
  /** These partitions go to others when the next step is asked for: what is dealt with by then should be said to be `delivered`. */
  | { readonly kind: 'revoking'; readonly partitions: readonly TopicPartition[] }
  | { readonly kind: 'assigned'; readonly partitions: readonly AssignedPartition[] }
  /** This member stood still for too long and lost its partitions; it joins anew. */
  | { readonly kind: 'fenced' }
  | { readonly kind: 'notice'; readonly topic: string; readonly notice: FollowNotice }

/** Records of one partition. */
export type BatchStep = Extract<ConsumerStep, { readonly kind: 'batch' }>

/** What became of the membership. */
export type ConsumerEvent = Extract<ConsumerStep, { readonly kind: 'revoking' | 'assigned' | 'fenced' }>

export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly start: StartOffset
}

export interface ReachedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface GroupRecord extends PlacedRecord {
  readonly topic: string
}
