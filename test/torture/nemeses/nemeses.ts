/** The table of nemeses: a new kind is a file beside this one, and a line here. */
import { caches } from './caches.js'
import { clock } from './clock.js'
import { critical } from './critical.js'
import { damage } from './damage.js'
import { fullDisk } from './full-disk.js'
import { garbage } from './garbage.js'
import { kill } from './kill.js'
import type { Nemesis } from './nemesis.js'
import { noHints } from './no-hints.js'
import { slowDisk } from './slow-disk.js'
import { stop } from './stop.js'

export const nemeses: readonly Nemesis[] = [kill, stop, critical, fullDisk, caches, garbage, clock, slowDisk, noHints, damage]
