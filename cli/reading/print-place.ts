/** The record at a place, printed; or why it cannot be. */
import { getRecord, type RecordLookup } from '../../lib/consume/get-record.js'
import type { Isolation } from '../../lib/log/log-view.js'
import type { Store } from '../../lib/store/store.js'
import type { Io } from '../io.js'
import { formatPlace, type Place } from '../values/place.js'
import type { BatchPrinter } from '../print/batch-printer.js'

type Miss = Exclude<RecordLookup, { readonly kind: 'found' }>

/** Looks a record up and prints it. Returns what was found instead; the caller says so, with `failMiss` or in its own words. */
export async function printPlace(
  store: Store,
  place: Place,
  isolation: Isolation,
  printer: BatchPrinter,
  io: Io,
): Promise<Miss | undefined> {
  const { topic, partition, offset } = place
  const found = await getRecord(store, topic, partition, offset, { isolation, signal: io.signal })
  if (found.kind !== 'found') return found
  await printer.printRecord(topic, partition, found.record)
  return undefined
}

export async function failMiss(place: Place, miss: Miss, io: Io): Promise<void> {
  await io.failItem(describeMiss(place, miss), hintOf(miss), miss.kind === 'below-start' ? 'gone' : 'noMatch')
}

function hintOf({ kind }: Miss): string | undefined {
  return kind === 'unstable' || kind === 'aborted' ? 'see it with --isolation read_uncommitted' : undefined
}

function describeMiss(place: Place, miss: Miss): string {
  const name = `'${place.topic}-${place.partition}'`
  switch (miss.kind) {
    case 'below-start':
      return `'${formatPlace(place)}' no longer exists: ${name} begins at offset ${miss.logStartOffset}`
    case 'beyond-end':
      return `'${formatPlace(place)}' does not exist yet: ${name} ends at offset ${miss.logEndOffset}`
    case 'unstable':
      return `'${formatPlace(place)}' is not to be read yet: a transaction that began at offset ${miss.lastStableOffset} is open`
    case 'aborted':
      return `'${formatPlace(place)}' has a record of a transaction that was aborted`
    case 'marker':
      return `'${formatPlace(place)}' has no record: it is ${describeMarker(miss.isCommit)}`
    case 'missing':
      return `'${formatPlace(place)}' has no record: it was compacted away`
  }
}

function describeMarker(isCommit: boolean | undefined): string {
  if (isCommit === undefined) return 'a control record of Kafka'
  return isCommit ? 'the marker that commits a transaction' : 'the marker that aborts a transaction'
}
