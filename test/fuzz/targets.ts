/** Everything that is fuzzed: a line for each. */
import type { FuzzTarget } from './target.js'
import { batch, batchDamage, codecs } from './targets/batches.js'
import { groupFiles } from './targets/group-files.js'
import { csv, decoders, items, sources } from './targets/inputs.js'
import { jsonPath, jsonRecord, jsonScanner } from './targets/json.js'
import { indexes, kafkaFiles, smallFiles } from './targets/small-files.js'
import { transactions } from './targets/transactions.js'
import { argumentsTarget, escape, templates, values, where } from './targets/words.js'

export const targets: readonly FuzzTarget[] = [
  batch,
  batchDamage,
  codecs,
  indexes,
  smallFiles,
  kafkaFiles,
  transactions,
  groupFiles,
  jsonScanner,
  jsonRecord,
  jsonPath,
  templates,
  values,
  argumentsTarget,
  where,
  escape,
  csv,
  sources,
  items,
  decoders,
]
