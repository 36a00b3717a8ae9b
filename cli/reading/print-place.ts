/** The record at a place, printed; or why it cannot be. */
import { getRecord, type RecordLookup } from '../../lib/consume/get-record.js'
import type { Store } from '../../lib/store/store.js'
import type { Io } from '../io.js'
import { formatPlace, type Place } from '../values/place.js'
import type { BatchPrinter } from '../print/batch-printer.js'

type Miss = Exclude<RecordLookup, { readonly kind: 'found' }>

/** Looks a record up and prints it. Returns what was found instead; the caller says so, with `failMiss` or in its own words. */
export async function printPlace(store: Store, place: Place, printer: BatchPrinter, io: Io): Promise<Miss | undefined> {
  const { topic, partition, offset } = place
  const found = await getRecord(store, topic, partition, offset, io.signal)
  if (found.kind !== 'found') return found
  await printer.printRecord(topic, partition, found.record)
  return undefined
}

export async function failMiss(place: Place, miss: Miss, io: Io): Promise<void> {
  await io.failItem(describeMiss(place, miss), undefined, miss.kind === 'below-start' ? 'gone' : 'noMatch')
}

function describeMiss(place: Place, miss: Miss): string {
  const name = `'${place.topic}-${place.partition}'`
  switch (miss.kind) {
    case 'below-start':
      return `'${formatPlace(place)}' no longer exists: ${name} begins at offset ${miss.logStartOffset}`
    case 'beyond-end':
      return `'${formatPlace(place)}' does not exist yet: ${name} ends at offset ${miss.logEndOffset}`
    case 'missing':
      return `'${formatPlace(place)}' has no record: it was compacted away, or is no record of a topic`
  }
}
