/** --isolation, over a partition of Kafka's with transactions: committed, aborted, and one that is open. */
import { KafkaLog, kafkaScript } from '../../helpers/kafka-log.js'
import { lines, refused, type Table } from '../table.js'

const log = new KafkaLog()
log.plain('a')
log.data(1, ['k=b', 'c'])
log.data(2, ['k=d'])
log.commit(1)
log.abort(2)
log.plain('e')
log.roll()
log.data(3, ['k=f'])
log.plain('g')

const held = /'t-0': a transaction that began at offset 7 is open; 2 records are held back from there on/
const uncommitted = '-s kafka --isolation read_uncommitted'

export const transactionTables: readonly Table[] = [
  {
    title: 'transactions: --isolation',
    before: kafkaScript(log, 'kafka/t-0'),
    rows: [
      ['cat: committed records, up to the open transaction', 'logq cat t -s kafka', { stdout: lines('a b c e'), stderr: held }],
      ['the same by its name', 'logq cat t -s kafka --isolation read_committed -q', lines('a b c e')],
      ['cat: all but markers', `logq cat t ${uncommitted}`, lines('a b c d e f g')],
      ['backwards', 'logq cat t -s kafka --reverse', { stdout: lines('e c b a'), stderr: held }],
      ['backwards, all', `logq cat t ${uncommitted} --reverse`, lines('g f e d c b a')],
      ['merged', 'logq cat t -s kafka --merge -q', lines('a b c e')],
      ['the end is the last stable offset', 'logq cat t -s kafka -o -2: -qF "%o %v\\n"', '6 e\n'],
      ['what lies behind it is not there yet', 'logq cat t -s kafka -o 8:', { stderr: held }],
      ['a range before it', 'logq cat t -s kafka -o 1:4', lines('b c')],
      ['tail', 'logq tail -n 2 t -s kafka', { stdout: lines('c e'), stderr: held }],
      ['tail, all', `logq tail -n 2 t ${uncommitted}`, lines('f g')],
      ['tail -f waits there', 'logq tail -f -o 5 t -s kafka --for 1s', 'e\n'],
      ['tail -f, all', `logq tail -f -o 5 t ${uncommitted} --for 1s`, lines('e f g')],
      ['wait', 'logq wait t -s kafka -o 3', 'e\n'],
      ['wait, all', `logq wait t -o 3 ${uncommitted}`, 'd\n'],
      ['wait for what is open', 'logq wait t -s kafka -o end --timeout 1s', refused(/0 of 1 records/, 4)],
      ['wait for a place that was aborted', 'logq wait t:0@3 -s kafka', refused(/aborted/, 3)],
      [
        'get: an aborted record',
        'logq get t:0@3 -s kafka',
        refused(/'t:0@3' has a record of a transaction that was aborted/, 3),
      ],
      ['get: a marker', 'logq get t:0@4 -s kafka', refused(/it is the marker that commits a transaction/, 3)],
      ['get: the other marker', `logq get t:0@5 ${uncommitted}`, refused(/it is the marker that aborts a transaction/, 3)],
      ['get: what is open', 'logq get t:0@7 -s kafka', refused(/a transaction that began at offset 7 is open/, 3)],
      ['get: what lies behind it', 'logq get t:0@8 -s kafka', refused(/a transaction that began at offset 7 is open/, 3)],
      ['get, all', `logq get t:0@3 t:0@7 t:0@8 ${uncommitted}`, lines('d f g')],
      ['get --key', 'logq get t --key k -s kafka', 'b\n'],
      ['get --key, all', `logq get t --key k ${uncommitted}`, 'f\n'],
      ['export', 'logq export t --to ndjson -s kafka', { stdout: lines('"a" "b" "c" "e"'), stderr: held }],
      ['export, all', `logq export t --to ndjson ${uncommitted}`, lines('"a" "b" "c" "d" "e" "f" "g"')],
      [
        'stat',
        'logq stat t -s kafka -J | grep -o \'"recordCount":.\' | tail -n 1',
        { stdout: '"recordCount":4\n', stderr: held },
      ],
      ['stat, all', `logq stat t -J ${uncommitted} | grep -o '"recordCount":.' | tail -n 1`, '"recordCount":7\n'],
      ['digest', 'logq digest t -s kafka | cut -d " " -f 3', { stdout: '4\n', stderr: held }],
      ['digest, all', `logq digest t ${uncommitted} | cut -d " " -f 3`, '7\n'],
      [
        'raw batches: those that were committed',
        'logq cat t -s kafka -qF batch -o :6 > raw; logq dump -J raw | grep -c "type.:.batch"',
        '2\n',
      ],
      ['no such level', 'logq cat t -s kafka --isolation none', refused(/not one of 'read_committed', 'read_uncommitted'/)],
    ],
  },
]
