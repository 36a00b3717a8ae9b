/** All tables, in the order of the description. */
import type { Table } from './table.js'
import { archiveTables } from './tables/archives.js'
import { diskTables } from './tables/disk.js'
import { doctorTables } from './tables/doctor.js'
import { exportTables } from './tables/export.js'
import { filterTables } from './tables/filters.js'
import { groupTables } from './tables/groups.js'
import { importTables } from './tables/import.js'
import { inputTables } from './tables/input.js'
import { jsonTables } from './tables/json-records.js'
import { lifecycleTables } from './tables/lifecycle.js'
import { monitoringTables } from './tables/monitoring.js'
import { offsetTables } from './tables/offsets.js'
import { outputTables } from './tables/output.js'
import { parsingTables } from './tables/parsing.js'
import { readingTables } from './tables/reading.js'
import { singleRecordTables } from './tables/single-records.js'
import { snapshotTables } from './tables/snapshots.js'
import { statisticsTables } from './tables/statistics.js'
import { statusTables } from './tables/statuses.js'
import { storeTables } from './tables/stores-and-topics.js'
import { transactionTables } from './tables/transactions.js'

export const tables: readonly Table[] = [
  ...parsingTables,
  ...inputTables,
  ...jsonTables,
  ...outputTables,
  ...offsetTables,
  ...importTables,
  ...exportTables,
  ...filterTables,
  ...readingTables,
  ...singleRecordTables,
  ...groupTables,
  ...statusTables,
  ...storeTables,
  ...diskTables,
  ...doctorTables,
  ...monitoringTables,
  ...lifecycleTables,
  ...archiveTables,
  ...snapshotTables,
  ...statisticsTables,
  ...transactionTables,
]
