/** The table of clients: a new kind is a file beside this one, and a line here. */
import { checking } from './checking.js'
import type { Client } from './client.js'
import { conditional } from './conditional.js'
import { deduper } from './deduper.js'
import { follower } from './follower.js'
import { lifecycle } from './lifecycle.js'
import { member } from './member.js'
import { oneShot } from './one-shot.js'
import { producer } from './producer.js'
import { reader } from './reader.js'
import { topicChanges } from './topics.js'

export const clients: readonly Client[] = [
  producer,
  oneShot,
  deduper,
  conditional,
  reader,
  follower,
  checking,
  topicChanges,
  lifecycle,
  member,
]
