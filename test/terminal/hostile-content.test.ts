/**
 * What a terminal would obey reaches none: every command, every place that text comes from, every payload, judged by the bytes that
 * are written to a real pseudo-terminal. `script` of util-linux makes one; where it is missing, that is said and nothing is run.
 *
 * Each row is run with standard output and error on the terminal. That the row did meet hostile text is seen by an escape in what it
 * shows, so that a row whose channel has dried up fails.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { commandGroups } from '../../cli/command-list.js'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'
import { hostile, hostileBytes, hostileName, payloads, pile, rawIn } from './payloads.js'

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0
const onTerminal = hasScript ? test : test.skip
if (!hasScript) process.stderr.write("not run: hostile content on a terminal (no 'script' of util-linux)\n")

/**
 * `$H` is the hostile word, `$N` one that is no pattern of topics. The topic `t` has it in values, keys and headers; `odd` in file names;
 * `kafka` is a log directory of it.
 */
const rows = {
  'records in every format': [
    'logq cat t',
    'logq cat t -K "$H"=',
    "logq cat t -K ' '",
    'logq cat t -J',
    'logq cat t -F tsv',
    "logq cat t -F '%t %k %v %h\\n'",
    'logq cat t --merge',
    'logq cat t --reverse',
    'logq cat t -w \'key != ""\'',
    'logq tail t',
    'logq tail -f t -n 5 --idle 100ms; true',
    'logq tail -f t "$H" --idle 100ms; true',
    'logq get t:0@0',
    'logq get t --key "$H" -J',
    'logq wait t',
    'logq wait t -F tsv -n 3',
    'logq export t --to csv',
    'logq export t --to ndjson',
    'logq export t --to kcat',
    'logq export t --to rpk',
    'logq export t --to tsv --columns value,headers',
    'logq stat t --by key',
    'logq stat t --by key -J',
    'logq stat t --by header:"$H"',
    'logq dump --records t',
    'logq dump --records t -J',
    'logq consume t -g values --to-end',
    'logq consume t -g objects --to-end -J',
    'logq consume t -g rows --to-end -F tsv',
    "logq consume t -g peeks --to-end --no-commit -F '%k %v %h\\n'",
  ],
  expressions: [
    'logq cat t -w \'value.x == "\'"$H"\'"\'',
    'logq cat t -w "$H"',
    'logq wait t -w "key == \'$H" --timeout 100ms',
    'logq wait none --timeout 100ms -w "topic == key + \'$(printf %s "$H" | tr -d "\\r")\'"; logq cat "$H"',
  ],
  'operands and options that are wrong': [
    'logq cat "$H"',
    'logq tail "$H"',
    'logq get "$H:0@0"',
    'logq get "$H"',
    'logq get t --key "no $H"',
    'logq wait "$H" --timeout 100ms',
    'logq export "$H" --to csv',
    'logq stat t --by "$H"',
    'logq dump "$H"',
    'logq dump "./$H"',
    'logq du "$H"',
    'logq doctor "$H"',
    'logq doctor --keep-until-acked-by "$H"',
    'logq fsck "$H"',
    'logq digest "$H"',
    'logq partition-of "$H" a',
    'logq partition-of t "$H" -J',
    'logq produce "$H" < /dev/null',
    'logq topic create "$H"',
    'logq topic show "$H"',
    'logq topic set t "$H=1"',
    'logq topic set t "retention.ms=$H"',
    'logq topic add-partitions "$H" 2',
    'logq topic add-partitions t "$H"',
    'logq topic rm "$H"',
    'logq retain "$H"',
    'logq retain t --keep-until-acked-by "$H" --older 1ms',
    'logq retain t --keep-until-acked-by g --hard-limit "$H"',
    'logq trim -y "$H" -o end',
    'logq trim -y t -o "$H"',
    'logq compact "$H"',
    'logq compact t --min-dirty "$H"',
    'logq archive "$H" --to place',
    'logq archive t --to "s3:/$H"; logq archive --list "no/$H"',
    'logq restore "no/$H"',
    'logq snapshot --all "$H"',
    'logq snapshot "$H" x',
    'logq snapshot ls "$H"',
    'logq snapshot rm -y "$H"',
    'logq topic clone "$H" x',
    'logq topic clone t "$H"',
    'logq check "$H" --max-age 1d',
    'logq check t --max-lag 1 -g "$H"',
    'logq metrics --output "no/$H"',
    'logq consume "$N" -g g --for 5s',
    'logq consume t -g "$H"',
    'logq consume t -g g --member "$H"',
    'logq consume t -g g -o "$H"',
    'logq consume t -g g --assignor "$H"',
    'logq consume t -g g --to-end -- "no/$H"',
    'logq lag -g "$H"',
    'logq lag -g "$H" --warn 1',
    'logq group ls "$H"',
    'logq group show "$H"',
    'logq group seek g "$H" --all-topics',
    'logq group seek g start --topic "$H"',
    'logq group seek g --from-file "no/$H"',
    'logq group skip g "$H" --reason x',
    'logq group undo "$H"',
    'logq group rm -y "$H"',
    'logq group rename g "$H"',
    'logq wait t:0@0 --acked-by "$H"',
    'logq "$H"',
    'logq topic "$H"',
    'logq help "$H"',
    'logq cat "--$H"',
    'logq cat "-${H#x}"',
    'logq cat t -o "$H"',
    'logq cat t -o "@$H"',
    'logq cat t -p "$H"',
    'logq cat t -n "$H"',
    'logq cat t -F "%$H"',
    'logq cat t -F "$H"',
    'logq cat t -D "\\\\$H"',
    'logq cat t --time "$H"',
    'logq tail t --for "$H"',
    'logq produce t -H "=$H" < /dev/null',
    'logq produce t --batch-bytes "$H" < /dev/null',
    'logq produce t --partitioner "$H" < /dev/null',
    'logq produce t --key-from "$H" < /dev/null',
    'logq cat t -s "no/$H"',
    'LOGQ_STORE="no/$H" logq topic ls',
    'LOGQ_FAILPOINT="$H" logq topic ls',
    'LOGQ_DEBUG=1 logq cat "$H"',
  ],
  'names of input files, and what is in them': [
    'logq produce t "no $H"',
    'logq produce t -J "$H.json"',
    'logq produce t -F "%k:%T:%v" "$H.txt"',
    'logq import t "$H.csv"',
    'logq import t "$H.csv" --key-column "$H"',
    'logq import t "$H.ndjson"',
    'logq import t --from kcat "$H.json"',
    'logq import t --from rpk "$H.json"',
    'logq import t "$H.gz"',
    'logq import t "$H"',
  ],
  'names of files in a store, and what is in small ones': [
    'logq topic ls -s odd',
    'logq topic ls -s odd -J',
    'logq topic show -s odd named -v',
    'logq topic show -s odd named -J',
    'logq fsck -s odd',
    'logq fsck -s odd -J',
    'logq fsck -s "$H" --repair',
    'logq doctor -s odd',
    'logq doctor -s odd -J',
    'logq du -s odd --by file',
    'logq du -s odd --by file -J',
    'logq dump odd/named-0/"$H"',
    'logq dump -s odd named -J',
    'logq cat "$H" -s odd',
    'logq topic ls -s kafka',
    'logq topic show -s kafka "$N"',
    'logq cat -s kafka "$N" -F tsv',
    'logq cat -s kafka "$N" -F \'%t %v\\n\'',
    'logq cat -s kafka "$N" -J',
    'logq cat -s kafka "*"',
    'logq tail -s kafka "$N"',
    'logq stat -s kafka "$N"',
    'logq export -s kafka "$N" --to csv',
    'logq dump -s kafka "$N"',
    'logq digest -s kafka "$N" -v',
    'logq digest -s kafka "$N" -J',
    'logq du -s kafka',
    'logq du -s kafka -J',
    'logq fsck -s kafka',
    'logq partition-of -s kafka "$N" a -J',
    'logq get -s kafka "$N:0@99999"',
  ],
} as const

for (const [source, lines] of Object.entries(rows)) {
  onTerminal(`a terminal is sent nothing that it would obey: ${source}`, async (t) => {
    const cli = makeCli(t)
    await prepare(cli)
    const shown = await runOnTerminal(cli, lines)
    t.is(shown.length, lines.length)
    const problems = shown.flatMap((output, n) => {
      const text = output.toString()
      const found = rawIn(output).map((raw) => `raw: ${raw}`)
      if (!/\\x1b|\\u001b|\\u202e/.test(text)) found.push('nothing hostile came by')
      if (text.includes('unexpected error')) found.push('a defect')
      return found.map((what) => `${lines[n] ?? ''}: ${what}: ${text.slice(0, 300)}`)
    })
    t.deepEqual(problems, [])
  })
}

test('every command is in the table', (t) => {
  for (const { name } of commandGroups.flatMap(({ commands }) => commands))
    t.true(
      Object.values<readonly string[]>(rows)
        .flat()
        .some((row) => row.includes(`logq ${name} `)),
      name,
    )
})

onTerminal('marks without end are cut off', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq produce t', { stdin: `${pile}\n` })
  for (const format of ['value', 'json', 'tsv']) {
    const [shown = Buffer.alloc(0)] = await runOnTerminal(cli, [`logq cat t -F ${format}`])
    t.deepEqual(rawIn(shown), [], format)
    t.true(shown.length > pile.length)
  }
})

onTerminal('with --raw a terminal gets every byte, and only then raw batches', async (t) => {
  const cli = makeCli(t)
  await prepare(cli)
  const [raw, tail, get, wait, refused, batch] = await runOnTerminal(cli, [
    'logq cat --raw t -n 1',
    'logq tail --raw t -o 0:1',
    'logq get --raw t:0@0',
    'logq wait --raw t',
    'logq cat t --format batch',
    'logq cat t --format batch --raw',
  ])
  for (const output of [raw, tail, get, wait]) t.true(output?.includes(hostileBytes))
  t.regex(String(refused), /^logq cat: --format batch is bytes/)
  t.true(batch?.includes(hostileBytes))
})

onTerminal('standard output and standard error are judged each by itself, and files get every byte', async (t) => {
  const cli = makeCli(t)
  await prepare(cli)
  // One record is printed, and on the others the expression fails, which is said with a part of their values.
  const command = `logq cat t -w 'offset == 0 || value.x == 1'`
  const { stdout, stderr } = await cli.shell(command)
  t.true(stdout.includes(hostileBytes))
  t.true(stderr.includes('\x1b[31m'))
  t.deepEqual((await cli.shell(`${command} > file; cat file`)).stdout, stdout)

  const [onlyError, onlyOutput] = await runOnTerminal(cli, [`${command} > out`, `${command} 2> err`])
  t.deepEqual(rawIn(onlyError ?? Buffer.alloc(0)), [])
  t.regex(String(onlyError), /^logq cat: [^\n]*\\x1b\[31m/)
  t.deepEqual(readFileSync(join(cli.directory, 'out')), stdout)
  t.deepEqual(rawIn(onlyOutput ?? Buffer.alloc(0)), [])
  t.regex(String(onlyOutput), /^x\\x1b\[31m/)
  t.is(readFileSync(join(cli.directory, 'err'), 'utf8'), stderr)
})

/** What each command line wrote to the terminal. They are typed by bash one after the other in one pseudo-terminal. */
async function runOnTerminal(cli: Cli, lines: readonly string[]): Promise<Buffer[]> {
  const mark = '=== the next line ==='
  const script = lines.map((line) => `${line}\nprintf '%s' '${mark}'\n`).join('')
  writeFileSync(join(cli.directory, 'lines.sh'), script)
  const { stdout } = await cli.shell(`script -qec ${shellQuote('bash lines.sh')} /dev/null < /dev/null`, {
    env: { H: hostile, N: hostileName },
    timeoutMs: 100_000,
  })
  const parts = stdout.toString('latin1').split(mark)
  return parts.slice(0, -1).map((part) => Buffer.from(part, 'latin1'))
}

async function prepare(cli: Cli): Promise<void> {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const record = {
    key: hostile,
    value: base64(hostileBytes),
    valueEncoding: 'base64',
    headers: [
      { key: hostile, value: hostile },
      { key: 'bytes', value: base64(hostileBytes), valueEncoding: 'base64' },
    ],
  }
  const records = [record, { value: hostile }, { ...record, value: `{${JSON.stringify(hostile)}:1}`, valueEncoding: undefined }]
  await cli.shell('logq produce t -J', { stdin: records.map((one) => JSON.stringify(one)).join('\n') })

  const at = (...names: readonly string[]) => join(cli.directory, ...names)
  writeFileSync(
    at(`${hostile}.json`),
    `{"value":1,${JSON.stringify(hostile)}:1}\n${hostile}\n{"payload":"a","value":"b","${hostile}":1}\n`,
  )
  writeFileSync(at(`${hostile}.txt`), `k:${hostile}:v\n${hostile}\n`)
  writeFileSync(at(`${hostile}.csv`), `a,b\n"${hostile}"c,d\n${hostile}",e\n`)
  writeFileSync(at(`${hostile}.ndjson`), `${hostile}\n`)
  writeFileSync(at(`${hostile}.gz`), hostileBytes)
  mkdirSync(at(hostile))

  await cli.shell('seq 3 | logq produce named -s odd')
  writeFileSync(at('odd', 'named-0', hostile), hostile)
  writeFileSync(at('odd', 'named-0', 'leader-epoch-checkpoint'), `0\n1\n${hostile}\n`)
  writeFileSync(at('odd', 'topics', `${hostile}.json`), hostile)
  const topicFile = JSON.parse(readFileSync(at('odd', 'topics', 'named.json'), 'utf8')) as object
  const named = { ...topicFile, topicId: hostile, created: hostile, [hostile]: hostile }
  writeFileSync(at('odd', 'topics', 'named.json'), JSON.stringify(named))

  mkdirSync(at('kafka'))
  cpSync(at('store', 't-0'), at('kafka', `${hostileName}-0`), { recursive: true })
  renameSync(at('kafka', `${hostileName}-0`, 'lock'), at('kafka', `${hostileName}-0`, hostile))
  writeFileSync(at('kafka', `${hostileName}-0`, 'partition.metadata'), `version: 0\ntopic_id: ${hostile}\n`)
  writeFileSync(at('kafka', 'log-start-offset-checkpoint'), `0\n1\n${hostile} 0 ${hostile}\n`)
}

test('the payloads are known when they are seen', (t) => {
  for (const [name, payload] of Object.entries(payloads))
    t.deepEqual(rawIn(Buffer.from(`a${payload}b`)).includes(name), true, name)
  t.is(rawIn(Buffer.from([0x61, 0x9b])).length, 1)
  t.is(rawIn(Buffer.from(`e${'\u0301'.repeat(40)}`)).length, 1)
  t.is(rawIn(Buffer.from('a\x1cb')).length, 1)
  t.deepEqual(rawIn(Buffer.from('größe 日本 👩\u200d🚀\r\n\tx\n')), [])
})
